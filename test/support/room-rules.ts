import { posix } from 'node:path';
import { factsOf, type SourceFacts } from './imports-of.js';

export interface RoomRule {
  /** Rooms it may import. */
  readonly rooms: readonly string[];
  /** Rooms of which it may import types only. */
  readonly roomTypes?: readonly string[];
  /** Single files of other rooms. */
  readonly files?: readonly string[];
  /** Packages it may import; `node:*` stands for Node's own modules. */
  readonly packages: readonly string[];
  /** Packages of which it may import types only: zod's are part of what schemas/ hands out. */
  readonly packageTypes?: readonly string[];
}

/** The table of ARCHITECTURE.md. Rooms that are not here may import anything. */
export const ROOM_RULES: Readonly<Record<string, RoomRule>> = {
  batch: { rooms: [], packages: [] },
  schemas: { rooms: ['batch'], packages: ['zod'] },
  workflows: {
    rooms: ['batch'],
    roomTypes: ['activities', 'schemas'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  providers: { rooms: ['batch', 'schemas'], packages: ['node:*', 'undici'], packageTypes: ['zod'] },
  storage: { rooms: ['batch', 'schemas'], packages: ['node:*'], packageTypes: ['zod'] },
  activities: {
    rooms: ['batch', 'schemas', 'providers', 'storage'],
    packages: ['@temporalio/activity', '@temporalio/common'],
    packageTypes: ['zod'],
  },
  client: {
    rooms: ['batch', 'schemas', 'storage'],
    files: ['workflows/messages.ts'],
    packages: ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig'],
    packageTypes: ['zod'],
  },
  emulator: { rooms: [], packages: ['node:*', 'fastify', '@fastify/multipart'] },
  dev: { rooms: ['batch'], packages: ['node:*'] },
};

export const FREE_ROOMS = ['worker', 'cli', 'bench', 'scripts', 'examples', 'test'] as const;

/** The only files that may pass on what others export. */
const PACKAGE_ENTRIES = ['client', 'worker', 'workflows', 'activities', 'emulator'].map(
  (room) => `${room}/index.ts`,
);

/** `test`, `scripts`, `bench` and `examples` are not shipped. */
const MAY_READ_ENVIRONMENT = ['cli', 'worker', 'dev', 'test', 'scripts', 'bench', 'examples'];

const MAX_LINES = 300;
const MAX_TEST_LINES = 500;

/** Breaches of the rules in files given as path from the root → source; empty when all is well. */
export function breachesOf(sources: ReadonlyMap<string, string>): string[] {
  const files = [...sources].map(([path, source]) => ({ path, facts: factsOf(source) }));
  return [...files.flatMap(({ path, facts }) => breachesOfFile(path, facts)), ...cycles(files)];
}

function breachesOfFile(path: string, facts: SourceFacts): string[] {
  const room = roomOf(path);
  if (!isRoom(room)) return [`${path}: ${room}/ is no room of ARCHITECTURE.md`];
  const limit = room === 'test' ? MAX_TEST_LINES : MAX_LINES;
  const breaches = facts.imports.flatMap((found) => {
    const reason = refusal(path, found.specifier, found.typeOnly);
    return reason === null ? [] : [`${path}:${found.line}: ${reason}`];
  });
  if (facts.defaultExport) breaches.push(`${path}: has a default export`);
  if (facts.barrel && !PACKAGE_ENTRIES.includes(path)) {
    breaches.push(`${path}: only passes on other files' exports and is no package entry`);
  }
  if (facts.readsEnvironment && !MAY_READ_ENVIRONMENT.includes(room)) {
    breaches.push(`${path}: reads the environment`);
  }
  if (facts.lines > limit) breaches.push(`${path}: has ${facts.lines} lines, more than ${limit}`);
  return breaches;
}

/** Why the file may not import that; null when it may. */
function refusal(path: string, specifier: string, typeOnly: boolean): string | null {
  const room = roomOf(path);
  const rule = ROOM_RULES[room];
  if (rule === undefined) return null;
  if (!specifier.startsWith('.')) {
    const packages = typeOnly ? [...rule.packages, ...(rule.packageTypes ?? [])] : rule.packages;
    const known = packages.some((name) => name === specifier || (name === 'node:*' && isNode(specifier)));
    return known ? null : `${room}/ may not import ${specifier}`;
  }
  const target = targetOf(path, specifier);
  const rooms = typeOnly ? [...rule.rooms, ...(rule.roomTypes ?? [])] : rule.rooms;
  const allowed = [room, ...rooms].includes(roomOf(target)) || (rule.files ?? []).includes(target);
  return allowed ? null : `${room}/ may not import ${target}${typeOnly ? '' : ' at run time'}`;
}

/** Rooms that reach themselves over others, in shipped code; types count too. */
function cycles(files: readonly { readonly path: string; readonly facts: SourceFacts }[]): string[] {
  const reached = new Map<string, Set<string>>();
  for (const { path, facts } of files) {
    const room = roomOf(path);
    const targets = facts.imports.filter(({ specifier }) => specifier.startsWith('.'));
    const rooms = targets.map(({ specifier }) => roomOf(targetOf(path, specifier)));
    reached.set(room, new Set([...(reached.get(room) ?? []), ...rooms.filter((name) => name !== room)]));
  }
  // Warshall: after the round of `middle`, every way over rooms up to `middle` is known.
  for (const middle of reached.keys()) {
    for (const targets of reached.values()) {
      if (targets.has(middle)) for (const target of reached.get(middle) ?? []) targets.add(target);
    }
  }
  const inCycle = [...reached].filter(([room, targets]) => targets.has(room)).map(([room]) => room);
  return inCycle.length === 0
    ? []
    : [`rooms import each other in a circle: ${inCycle.toSorted().join(', ')}`];
}

function isRoom(name: string): boolean {
  return Object.hasOwn(ROOM_RULES, name) || FREE_ROOMS.some((room) => room === name);
}

function isNode(specifier: string): boolean {
  return specifier.startsWith('node:');
}

function roomOf(path: string): string {
  return path.slice(0, Math.max(0, path.indexOf('/')));
}

function targetOf(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier)).replace(/\.js$/, '.ts');
}
