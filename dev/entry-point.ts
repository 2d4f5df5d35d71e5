import { fileURLToPath } from 'node:url';

/**
 * How to run another entry point of Longhaul as a process of its own, from the build or, in development, from the
 * sources: as arguments for `process.execPath`. The path begins with its room: this code may be a part of the bundle in
 * `dist/cli/`.
 */
export function entryPoint(relativePath: `../${string}/${string}.js`): string[] {
  const built = new URL(relativePath, import.meta.url);
  if (!import.meta.url.endsWith('.ts')) return [fileURLToPath(built)];
  const source = fileURLToPath(built).replace(/\.js$/, '.ts');
  return ['--import', import.meta.resolve('tsx'), source];
}
