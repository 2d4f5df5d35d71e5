// Preloaded into every process of a home: on a signal the worker (SIGHUP) and the supervisor (SIGUSR2, as it takes SIGHUP for a stop)
// meet a bug, as a library could have one. What is attached to the error stands for a provider's answer.
const secrets = process.env.E2E_ATTACHED ?? '';
const SIGNALS = { 'worker/main.js': 'SIGHUP', 'dev/supervisor-main.js': 'SIGUSR2' };
for (const [program, signal] of Object.entries(SIGNALS)) {
  if (process.argv[1]?.endsWith(program) !== true) continue;
  process.on(signal, () => {
    const cause = Object.assign(new Error(`cause ${secrets}`), { body: secrets });
    throw Object.assign(new Error('a bug, for a test', { cause }), { data: secrets, config: { secrets } });
  });
}
