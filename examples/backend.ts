import { Longhaul } from 'longhaul';

const longhaul = await Longhaul.connect({
  store: process.env['LONGHAUL_STORE'],
  baseUrl: process.env['MISTRAL_BASE_URL'],
});
const batch = await longhaul.start({
  input: 'examples/support-tickets.jsonl',
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
});
for await (const { phase, rows } of batch.progress()) {
  console.log(`${batch.batchId} ${phase}: ${rows.total - rows.unanswered} of ${rows.total} rows`);
}
const { outcome } = await batch.result();
for await (const { custom_id, response, error } of batch.results()) {
  console.log(custom_id, error?.type ?? response?.body);
}
await longhaul.close();
process.exitCode = outcome === 'succeeded' ? 0 : 1;
