import { describe, expect, it } from 'vitest';
import { readText } from '../support/repository.js';

/** No YAML reader is among the dependencies; these facts stand on single lines. */
describe('docker-compose.yml and Dockerfile', () => {
  it('pin every image to a full version', async () => {
    const compose = await readText('docker-compose.yml');
    const docker = await readText('Dockerfile');
    const images = [...compose.matchAll(/^\s*image: (.+)$/gm), ...docker.matchAll(/^FROM (\S+)/gm)];
    expect(images.length).toBeGreaterThanOrEqual(8);
    for (const [, image] of images) expect(image).toMatch(/^[a-z/-]+:\d+\.\d+[\w.-]*$/);
  });

  it('publish ports on loopback only', async () => {
    const compose = await readText('docker-compose.yml');
    const ports = [...compose.matchAll(/ports:\n((?:\s+- .+\n)+)/g)].flatMap(([, list]) =>
      list?.trim().split('\n'),
    );
    expect(ports.length).toBeGreaterThanOrEqual(3);
    for (const port of ports) expect(port?.trim()).toMatch(/^- '127\.0\.0\.1:/);
  });

  it('run the Temporal server that the cluster tests run, set up by the same commands', async () => {
    const compose = await readText('docker-compose.yml');
    const [, version = ''] = /const VERSION = '([\d.]+)'/.exec(await readText('dev/cluster-server.ts')) ?? [];
    expect(compose).toContain(`image: temporalio/server:${version}\n`);
    expect(compose).toContain(`image: temporalio/admin-tools:${version}-`);
    const cluster = await readText('test/support/cluster.ts');
    expect(compose).toContain('setup-schema --version 0.0');
    expect(cluster).toContain("['setup-schema', '--version', '0.0']");
    expect(compose).toContain('update-schema --schema-name "postgresql/v12/$$name"');
    expect(cluster).toContain("['update-schema', '--schema-name', `postgresql/v12/${name}`]");
  });

  it('give workers and commands the same provider: what a recipe sets is exported, not set for one command', async () => {
    const header = (await readText('docker-compose.yml')).split('\nname:')[0] ?? '';
    const lines = header.split('\n').map((line) => line.replace(/^#\s*/, ''));
    expect(lines.filter((line) => /^[A-Z_]+=\S* .*docker compose/.test(line))).toEqual([]);
    expect(lines).toContain('export MISTRAL_API_KEY=any MISTRAL_BASE_URL=http://emulator:4010');
  });

  it('ask every server whether it is well, and start nothing that needs it before', async () => {
    const compose = await readText('docker-compose.yml');
    const services = compose.split(/\nservices:\n/)[1]?.split(/\n(?=\S)/)[0] ?? '';
    const texts = new Map(
      services.split(/\n(?= {2}[a-z])/).map((text) => [/^ *([a-z-]+):/m.exec(text)?.[1] ?? '', text]),
    );
    const servers = [...texts].filter(([, text]) => /\bports:|\bexpose:|pg_isready/.test(text));
    expect(servers.map(([name]) => name)).toEqual(['postgresql', 'temporal', 'temporal-ui', 'emulator']);
    for (const [name, text] of servers) expect(text, name).toMatch(/\n {4}healthcheck:\n {6}test:/);
    const needs = (name: string): string[] =>
      [...(texts.get(name) ?? '').matchAll(/^ {6}([a-z-]+):\n {8}condition: (\w+)/gm)].map(
        ([, needed, condition]) => `${needed} ${condition}`,
      );
    expect(needs('temporal-schema')).toEqual(['postgresql service_healthy']);
    expect(needs('temporal')).toEqual(['temporal-schema service_completed_successfully']);
    expect(needs('temporal-namespace')).toEqual(['temporal service_healthy']);
    expect(needs('temporal-ui')).toEqual(['temporal service_healthy']);
    expect(needs('setup')).toEqual(['temporal-namespace service_completed_successfully']);
    expect(needs('worker')).toEqual(['setup service_completed_successfully']);
  });

  it('name the package version as the image’s', async () => {
    const { version } = JSON.parse(await readText('package.json')) as { version: string };
    expect(await readText('docker-compose.yml')).toContain(`image: longhaul:${version}\n`);
  });
});
