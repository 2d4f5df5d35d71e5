import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { errorsPage } from './errors-page.js';

const file = new URL('../docs/errors.md', import.meta.url);
const style = await resolveConfig(file);
await writeFile(file, await format(errorsPage(), { ...style, parser: 'markdown' }));
