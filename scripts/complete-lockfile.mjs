// `npm run lockfile`, after every change of dependencies: names in package-lock.json the optional packages for other
// platforms that npm left out. npm leaves out those that the registry in use does not have, and `npm ci` then refuses
// the lockfile ("Missing: … from lock file"). They are never fetched on a platform that is not theirs.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const { '': root, ...packages } = lock.packages;

/** Platform by the end of the name: `@swc/core-linux-x64-musl`, `@oxlint/binding-darwin-arm64`. */
function platformEntry(name, version, parent) {
  const [os, cpu, abi = ''] = name
    .split('/')
    .at(-1)
    .replace(/^(binding|core)-/, '')
    .split('-');
  const libc = os === 'linux' && /^(gnu|musl)/.test(abi) ? [abi.startsWith('musl') ? 'musl' : 'glibc'] : null;
  return {
    version,
    cpu: [cpu],
    ...(parent.dev === true ? { dev: true } : {}),
    ...(libc === null ? {} : { libc }),
    optional: true,
    os: [os],
    ...(parent.engines === undefined ? {} : { engines: parent.engines }),
  };
}

const added = [];
for (const [path, parent] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (packages[`node_modules/${name}`] || packages[`${path}/node_modules/${name}`]) continue;
    if (!/^\d/.test(version)) throw new Error(`${path} wants ${name} ${version}, which is no exact version`);
    packages[`node_modules/${name}`] = platformEntry(name, version, parent);
    added.push(name);
  }
}
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = { '': root, ...Object.fromEntries(sorted) };
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(added.length === 0 ? 'The lockfile is complete.\n' : `Added ${added.join(', ')}.\n`);
