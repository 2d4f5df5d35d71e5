/**
 * The crash matrix as data: every step of a batch that can be seen from outside the product, and who is killed at it.
 * Nothing here runs anything; docs/guarantees.md lists exactly these points.
 */

export const VICTIMS = ['worker', 'server', 'both', 'command', 'all'] as const;

/**
 * `both`: worker and Temporal server at once. `command`: the command line, after which everything else leaves too. `all`:
 * every process of the home at once, as when the machine loses its power.
 */
export type Victim = (typeof VICTIMS)[number];

export type Route =
  | 'listJobs'
  | 'listFiles'
  | 'uploadFile'
  | 'createJob'
  | 'getJob'
  | 'getFile'
  | 'fileContent'
  | 'cancelJob'
  | 'deleteFile';

/** Routes whose requests change something at the provider. */
export const CHANGING: ReadonlySet<Route> = new Set(['uploadFile', 'createJob', 'cancelJob', 'deleteFile']);

/** Which requests of a route a step means. All but `first` are those of the first shard. */
export type Subject =
  /** The first one at all. */
  | { readonly kind: 'first' }
  /** Those that name the key of this round's job. */
  | { readonly kind: 'key'; readonly round: number; readonly nth: number }
  /** The first upload after the file of this round was looked for. */
  | { readonly kind: 'upload'; readonly round: number }
  /** Those that name the job of this round, or one of its result files. */
  | { readonly kind: 'job' | 'output' | 'errors'; readonly round: number };

/** When the request is held, and what becomes of it once the process that sent it is dead. */
export type Fate = 'dropped' | 'carried out' | 'answer lost';

export interface RequestPlace {
  readonly kind: 'request';
  readonly route: Route;
  readonly subject: Subject;
  readonly fate: Fate;
}

export type Place =
  | RequestPlace
  /** A file of the batch's folder in the store appears. */
  | { readonly kind: 'file'; readonly path: string }
  /** One whose name begins so, and that is soon gone again. */
  | { readonly kind: 'fleeting'; readonly path: string }
  /** A temporary file appears in that folder: something is being written. */
  | { readonly kind: 'writing'; readonly folder: string };

/**
 * `answered`: two shards, and rows that have to be sent again. `cancelled`: two long jobs and `longhaul cancel`.
 * `refused`: as `answered`, and the first create is refused for now. `again`: one round, then the same with `--retry` and
 * `--cleanup`, which is when the kill comes. `late`: as `answered`, and the held create is carried out only after its settle
 * time: the hole that remains.
 */
export type Story = 'answered' | 'cancelled' | 'refused' | 'again' | 'late';

export interface Step {
  readonly name: string;
  readonly story: Story;
  readonly place: Place;
}

/** Where a worker pays twice that does not look before it pays. */
export const CONTROL: RequestPlace = {
  kind: 'request',
  route: 'createJob',
  subject: { kind: 'key', round: 1, nth: 1 },
  fate: 'answer lost',
};

export interface Point {
  readonly name: string;
  readonly step: Step;
  readonly victim: Victim;
}

const READ: Fate = 'dropped';

function request(name: string, route: Route, subject: Subject, fate: Fate, story: Story = 'answered'): Step {
  return { name, story, place: { kind: 'request', route, subject, fate } };
}

function file(path: string, name = path, story: Story = 'answered'): Step {
  return { name: `${name} appears`, story, place: { kind: 'file', path } };
}

function fleeting(path: string, name: string, story: Story = 'answered'): Step {
  return { name: `${name} appears`, story, place: { kind: 'fleeting', path } };
}

function writing(folder: string, name: string): Step {
  return { name, story: 'answered', place: { kind: 'writing', folder } };
}

const FATES = ['dropped', 'carried out', 'answer lost'] as const;
const FATE_NAMES: { readonly [F in Fate]: string } = {
  dropped: 'lost on its way',
  'carried out': 'carried out after the kill',
  'answer lost': 'carried out, its answer lost',
};

function list(round: number, what: string, nth: number): Step {
  return request(`round ${round}: ${what}`, 'listJobs', { kind: 'key', round, nth }, READ);
}

function uploads(round: number, fates: readonly Fate[]): Step[] {
  return fates.map((fate) =>
    request(`round ${round}: upload ${FATE_NAMES[fate]}`, 'uploadFile', { kind: 'upload', round }, fate),
  );
}

function creates(round: number): Step[] {
  const subject = { kind: 'key', round, nth: 1 } as const;
  return FATES.map((fate) =>
    request(`round ${round}: create ${FATE_NAMES[fate]}`, 'createJob', subject, fate),
  );
}

function read(round: number, what: string, kind: 'job' | 'output' | 'errors'): Step {
  return request(`round ${round}: ${what}`, kind === 'job' ? 'getJob' : 'fileContent', { kind, round }, READ);
}

function changes(story: 'cancelled' | 'again', what: string, route: Route): Step[] {
  return FATES.map((fate) => request(`${what} ${FATE_NAMES[fate]}`, route, { kind: 'first' }, fate, story));
}

/** What the first shard asks from its create to the end of the round, in order. */
function fromCreate(round: number): Step[] {
  return [
    ...creates(round),
    list(round, 'list after the create', 3),
    read(round, 'poll', 'job'),
    list(round, 'list at the job’s end', 4),
    request(`round ${round}: look at the answers’ size`, 'getFile', { kind: 'output', round }, READ),
    read(round, 'download of the answers', 'output'),
    read(round, 'download of the errors', 'errors'),
  ];
}

function roundFiles(round: number, names: readonly string[]): Step[] {
  return names.map((name) => file(`rounds/00000-${round}/${name}`, `round ${round}: ${name}`));
}

export const STEPS: readonly Step[] = [
  writing('input', 'shards being written'),
  fleeting('input/plan-draft.json', 'plan-draft.json'),
  file('input/plan.json', 'plan.json'),
  request('look at the account', 'listJobs', { kind: 'first' }, READ),
  list(1, 'list before the upload', 1),
  request('round 1: look for the file', 'listFiles', { kind: 'key', round: 1, nth: 1 }, READ),
  ...uploads(1, FATES),
  list(1, 'list before the create', 2),
  ...fromCreate(1),
  ...roundFiles(1, ['input.jsonl', 'intent-1.json', 'job.json', 'answers.jsonl', 'account.json']),
  // Of what comes before a create, a later round does nothing that the first one does not.
  list(2, 'list before the upload', 1),
  ...uploads(2, ['answer lost']),
  ...fromCreate(2),
  ...roundFiles(2, ['intent-1.json', 'job.json', 'account.json']),
  request('last list of round 1', 'listJobs', { kind: 'key', round: 1, nth: 5 }, READ),
  writing('.', 'results being written'),
  file('results.jsonl'),
  file('errors.jsonl'),
  file('manifest.json'),
  file('rounds/00000-1/refused-1.json', 'refused: refused-1.json', 'refused'),
  file('rounds/00000-1/intent-2.json', 'refused: intent-2.json', 'refused'),
  fleeting('manifests/taken-', 'again: the manifest, taken away,', 'again'),
  file('manifests/1.json', 'again: manifests/1.json', 'again'),
  file('rounds/00000-2/input.jsonl', 'again: round 2: input.jsonl', 'again'),
  ...changes('again', 'again: deletion of a file', 'deleteFile'),
  ...changes('cancelled', 'cancel', 'cancelJob'),
  file('rounds/00000-1/account.json', 'cancelled: account.json', 'cancelled'),
  file('manifest.json', 'cancelled: manifest.json', 'cancelled'),
  request(
    'create carried out after its settle time',
    'createJob',
    { kind: 'key', round: 1, nth: 1 },
    'carried out',
    'late',
  ),
];

/** Where a batch commits itself: elsewhere, losing all is to lose both and the command. */
const AT_ONCE: ReadonlySet<string> = new Set([
  'plan.json appears',
  'round 1: create carried out, its answer lost',
  'round 1: job.json appears',
  'round 2: account.json appears',
  'results being written',
  'manifest.json appears',
]);

/**
 * A held request is lost with its sender. If only the server dies the sender lives on and gets its answer, so that
 * what becomes of the request makes no difference: one fate stands for all.
 */
export function isPoint({ name, place, story }: Step, victim: Victim): boolean {
  if (victim === 'all') return AT_ONCE.has(name);
  if (victim !== 'server' || place.kind !== 'request' || story === 'late') return true;
  return !CHANGING.has(place.route) || place.fate === 'answer lost';
}

export function pointName(step: Step, victim: Victim): string {
  return `${step.name} × ${victim}`;
}

export const POINTS: readonly Point[] = STEPS.flatMap((step) =>
  VICTIMS.filter((victim) => isPoint(step, victim)).map((victim) => ({
    name: pointName(step, victim),
    step,
    victim,
  })),
);
