/** Variables of the user's that would lead a command away from the demo's home; empty counts as not set. */
const MISLEADING = [
  'MISTRAL_API_KEY',
  'MISTRAL_BASE_URL',
  'LONGHAUL_STORE',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
];

/** The summary: what the table of `longhaul run` can't know. */
export function whatHappened({ account, death, seconds }) {
  const { shards, created, duplicateJobs, uploaded, duplicateUploads, rows, rowsByRound } = account;
  const rounds = rowsByRound.map(([round, count]) => `${count} in round ${round}`).join(', ');
  return [
    line('killed', `process ${death.workerPid}, the worker, at ${death.rowsAtDeath} of ${rows} rows`),
    line('replaced', `by process ${death.newPid} after ${death.secondsToRestart.toFixed(1)} s`),
    line(
      'resumed',
      `after ${death.secondsToRequest.toFixed(1)} s, when the provider had ${death.rowsAtRequest} rows`,
    ),
    line('rows', `${rows} of ${rows} answered, in the order of the input: ${rounds}`),
    line('jobs', `${shards} shards, ${created} jobs created, ${duplicateJobs} duplicates`),
    line('uploads', `${uploaded} files, ${duplicateUploads} duplicates`),
    line('time', `${Math.round(seconds)} s`),
  ];
}

function line(name, text) {
  return `  ${name.padEnd(8)} ${text}`;
}

/** Commands that work when the demo is over. */
export function nextSteps({ home, account, env }) {
  const unset = MISLEADING.filter((name) => env[name]).map((name) => `${name}= `);
  const longhaul = `${unset.join('')}LONGHAUL_HOME=${home} npx longhaul`;
  return [
    '  # the answers, one line per ticket',
    `  ${longhaul} results ${account.batchId}`,
    "  # Temporal's UI with the batch's whole history, until Ctrl-C; at the address that it prints:",
    `  # /namespaces/default/workflows/${account.batchId}`,
    `  ${longhaul} dev`,
    '  # when you have seen enough',
    `  rm -r ${home}`,
  ];
}
