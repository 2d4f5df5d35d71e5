import { mkdir, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { schemaDocuments } from '../schemas/json-schema.js';

/** Writes `docs/schema/*.json`; a test fails when they are not what this would write. */
const folder = new URL('../docs/schema/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, document] of Object.entries(schemaDocuments())) {
  const file = new URL(name, folder);
  const style = await resolveConfig(file);
  await writeFile(file, await format(JSON.stringify(document), { ...style, parser: 'json' }));
}
