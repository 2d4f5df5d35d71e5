import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readText } from '../support/repository.js';

const versions = z.record(z.string(), z.string());
const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      dependencies: versions.optional(),
      optionalDependencies: versions.optional(),
    }),
  ),
});

describe('package-lock.json', async () => {
  const { packages } = lockfile.parse(JSON.parse(await readText('package-lock.json')));

  it('names every optional package, or `npm ci` refuses it; if not, run `npm run lockfile`', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`node_modules/${name}`] === undefined &&
          packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry, so that it works with any', () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  it('has one version of Temporal’s packages, and one protobufjs for all of them', () => {
    const temporal = Object.entries(packages).filter(([path]) =>
      /node_modules\/@temporalio\/[\w-]+$/.test(path),
    );
    expect(temporal.length).toBeGreaterThanOrEqual(8);
    expect(new Set(temporal.map(([, { version }]) => version)).size).toBe(1);
    const copies = Object.keys(packages).filter((path) => path.endsWith('node_modules/protobufjs'));
    expect(copies.filter((path) => path.includes('@temporalio/'))).toEqual([]);
    expect(copies).toContain('node_modules/protobufjs');
  });
});
