// Preloaded into every process of a home: on SIGHUP the worker meets a bug, as a library could have one. What is attached to the
// error stands for a provider's answer.
const secrets = process.env.E2E_ATTACHED ?? '';
if (process.argv[1]?.endsWith('worker/main.js') === true) {
  process.on('SIGHUP', () => {
    const cause = Object.assign(new Error(`cause ${secrets}`), { body: secrets });
    throw Object.assign(new Error('a bug, for a test', { cause }), { data: secrets, config: { secrets } });
  });
}
