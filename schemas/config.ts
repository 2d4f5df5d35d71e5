import { z } from 'zod';
import { createTimeoutMs, lowestRate } from '../batch/create-decision.js';
import { formatDuration, parseDuration } from '../batch/duration.js';
import { DEFAULTS } from '../batch/settings.js';
import { parseCodecKeys } from './codec-keys.js';
import type { Problem } from './problems.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What worker and CLI take from the environment. Where it says null the caller decides. */
export interface Config {
  /** A `file://` URI; null: a folder below `home`. */
  readonly store: string | null;
  /** Folder for embedded servers and their state, as given. */
  readonly home: string;
  /** Folders below which workers may read `file:` inputs. */
  readonly fileRoots: readonly string[];
  readonly createSettleMs: number;
  readonly cancelWaitMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly mistral: { readonly apiKey: string | null; readonly baseUrl: string };
  /** Calls per second to the provider; null: unlimited. */
  readonly requestsPerSecond: number | null;
  /** The worker's version, for Temporal's worker deployments; null: unversioned. */
  readonly deployment: { readonly name: string; readonly buildId: string } | null;
  /** `id:base64,…` for payloads in Temporal, checked; null: in the file, or nothing is encrypted. */
  readonly codecKeys: string | null;
  /** Path of a file with such keys, as given. */
  readonly codecKeysFile: string | null;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  /** `path` of a problem is the variable's name. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

const duration = z.string().transform((value, context) => {
  const milliseconds = parseDuration(value);
  if (milliseconds !== null && milliseconds > 0) return milliseconds;
  context.addIssue('must be a duration above zero, such as "90s", "15m" or "1h"');
  return z.NEVER;
});

/** Half of it is what a create may take; with less every create would end unanswered, and the provider be blamed. */
const createSettle = duration.refine((ms) => ms >= 1_000, {
  error: 'must be 1s or more: a create has half of it to be answered in',
});

/** Only what can be said without naming the value: the key's own characters must not reach a message. */
const apiKey = z.string().regex(/^[\x21-\x7e]+$/, {
  error: 'has a blank, a line end or another character that no key has: copy the key again',
});

const webAddress = z.string().refine(isWebAddress, {
  error: 'must be an address such as https://api.mistral.ai, without user name, query or fragment',
});

const rate = z.string().transform((value, context) => {
  const perSecond = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : 0;
  if (perSecond > 0) return perSecond;
  context.addIssue('must be a number above zero, such as 5 or 0.5');
  return z.NEVER;
});

/** Temporal joins the two by a dot or a colon, depending on its version. */
const buildId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*$/, {
  error: 'must be letters, digits, "_", "+", "-" and single dots in between',
});
const deploymentName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, {
  error: 'must be letters, digits, "_" and "-"',
});

/** Says which key of how many is wrong, and never what it is. */
const codecKeys = z.string().superRefine((value, context) => {
  const parsed = parseCodecKeys(value);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: `can't be used: ${parsed.problem}` });
});

const environment = z.object({
  LONGHAUL_STORE: z
    .string()
    .regex(/^(?:file|s3):\/\/\S/, { error: 'must be a URI such as file:///var/lib/longhaul' })
    .optional(),
  LONGHAUL_HOME: z.string().default('.longhaul'),
  LONGHAUL_FILE_ROOTS: z.string().default(''),
  LONGHAUL_CREATE_SETTLE: createSettle.default(DEFAULTS.createSettleMs),
  LONGHAUL_CANCEL_WAIT: duration.default(DEFAULTS.cancelWaitMs),
  LONGHAUL_LOG_LEVEL: z
    .enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` })
    .default('info'),
  LONGHAUL_REQUESTS_PER_SECOND: rate.optional(),
  LONGHAUL_DEPLOYMENT: deploymentName.optional(),
  LONGHAUL_BUILD_ID: buildId.optional(),
  LONGHAUL_CODEC_KEYS: codecKeys.optional(),
  LONGHAUL_CODEC_KEYS_FILE: z.string().optional(),
  MISTRAL_API_KEY: apiKey.optional(),
  MISTRAL_BASE_URL: webAddress.default('https://api.mistral.ai'),
});

/** Reads the given variables, not the process: who calls decides whose environment it is. */
export function parseConfig(variables: Readonly<Record<string, string | undefined>>): ConfigResult {
  const result = environment.safeParse(withoutEmpty(variables));
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    return { ok: false, problems };
  }
  const values = result.data;
  const deployment = deploymentOf(values);
  if (deployment === undefined) return { ok: false, problems: [HALF_A_VERSION] };
  const tooSlow = rateProblem(values);
  if (tooSlow !== null) return { ok: false, problems: [tooSlow] };
  if (values.LONGHAUL_CODEC_KEYS !== undefined && values.LONGHAUL_CODEC_KEYS_FILE !== undefined) {
    const message = 'is set beside LONGHAUL_CODEC_KEYS: unset one of them';
    return { ok: false, problems: [{ path: 'LONGHAUL_CODEC_KEYS_FILE', message }] };
  }
  return {
    ok: true,
    config: {
      store: values.LONGHAUL_STORE ?? null,
      home: values.LONGHAUL_HOME,
      fileRoots: values.LONGHAUL_FILE_ROOTS.split(':').filter((root) => root !== ''),
      createSettleMs: values.LONGHAUL_CREATE_SETTLE,
      cancelWaitMs: values.LONGHAUL_CANCEL_WAIT,
      logLevel: values.LONGHAUL_LOG_LEVEL,
      mistral: { apiKey: values.MISTRAL_API_KEY ?? null, baseUrl: values.MISTRAL_BASE_URL },
      requestsPerSecond: values.LONGHAUL_REQUESTS_PER_SECOND ?? null,
      deployment,
      codecKeys: values.LONGHAUL_CODEC_KEYS ?? null,
      codecKeysFile: values.LONGHAUL_CODEC_KEYS_FILE ?? null,
    },
  };
}

const HALF_A_VERSION: Problem = {
  path: 'LONGHAUL_DEPLOYMENT',
  message: 'and LONGHAUL_BUILD_ID go together: set both, or neither for a worker without a version',
};

/** Undefined: one of the two is missing. */
function deploymentOf(values: z.output<typeof environment>): Config['deployment'] | undefined {
  const { LONGHAUL_DEPLOYMENT: name, LONGHAUL_BUILD_ID: id } = values;
  if (name === undefined && id === undefined) return null;
  return name === undefined || id === undefined ? undefined : { name, buildId: id };
}

/** With a lower rate no create would ever have its turn in time, and a batch would wait for it without end. */
function rateProblem(values: z.output<typeof environment>): Problem | null {
  const { LONGHAUL_REQUESTS_PER_SECOND: perSecond, LONGHAUL_CREATE_SETTLE: settleMs } = values;
  const lowest = lowestRate(settleMs);
  if (perSecond === undefined || perSecond >= lowest) return null;
  const shown = Math.ceil(lowest * 100) / 100;
  const message =
    `must be at least ${shown} with LONGHAUL_CREATE_SETTLE at ${formatDuration(settleMs)}: ` +
    `a create has ${formatDuration(createTimeoutMs(settleMs))} to get its turn`;
  return { path: 'LONGHAUL_REQUESTS_PER_SECOND', message };
}

/** `FOO=` in a shell or a compose file means "not set"; blanks around a value come from copying. */
function withoutEmpty(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const values = Object.entries(variables).map(([name, value]) => [name, value?.trim() ?? ''] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== ''));
}

function isWebAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}
