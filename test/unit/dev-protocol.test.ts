import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  encode,
  parseClientMessage,
  parseSupervisorMessage,
  speaksOurVersion,
  type ClientMessage,
  type SupervisorMessage,
} from '../../dev/protocol.js';

const text = fc.string();
const pid = fc.nat();
const optional = <T>(name: string, value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.oneof(
    fc.constant({}),
    value.map((some) => ({ [name]: some })),
  );
const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((objects) => Object.assign({}, ...objects) as object);

const settings = merged(
  ...['apiKey', 'baseUrl', 'storeUri', 'createSettle', 'cancelWait', 'logLevel'].map((name) =>
    optional(name, text),
  ),
  optional(
    'workerEnv',
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      text,
      { noNullPrototype: true },
    ),
  ),
);
const need = fc.constantFrom('full', 'workflow-only', 'none');
const clientMessage = fc.oneof(
  fc.record({ type: fc.constant('hello'), need, settings }),
  fc.constantFrom({ type: 'detach' }, { type: 'stop' }),
) as fc.Arbitrary<ClientMessage>;

const supervisorMessage = fc.oneof(
  fc.record({ type: fc.constantFrom('accepted', 'worker-restarted', 'server-restarted'), pid }),
  fc.record({ type: fc.constant('progress'), line: text }),
  fc.record({ type: fc.constantFrom('worker-exited', 'server-exited'), message: text }),
  fc.record({
    type: fc.constant('stopping'),
    message: text,
    cause: fc.constantFrom('asked', 'home-removed', 'trouble', 'unused'),
  }),
  fc.record({
    type: fc.constant('refused'),
    reason: fc.constantFrom('version', 'conflict', 'failed', 'stopping'),
    message: text,
  }),
  fc.constant({ type: 'detached' }),
  merged(
    fc.record({
      type: fc.constant('welcome'),
      address: text,
      namespace: text,
      uiUrl: text,
      serverPid: pid,
      hasKey: fc.boolean(),
    }),
    optional('workerPid', pid),
    optional('baseUrl', text),
    optional('storeUri', text),
  ),
) as fc.Arbitrary<SupervisorMessage>;

it('reads every message of a command as it was sent, on one line', () => {
  fc.assert(
    fc.property(clientMessage, (message) => {
      const line = encode(message);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const value: unknown = JSON.parse(line);
      expect(speaksOurVersion(value)).toBe(true);
      expect(parseClientMessage(value)).toEqual(message);
    }),
  );
});

it('reads every message of the supervisor as it was sent', () => {
  fc.assert(
    fc.property(supervisorMessage, (message) => {
      expect(parseSupervisorMessage(JSON.parse(encode(message)))).toEqual(message);
    }),
  );
});

it('takes nothing else for a message', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseClientMessage(value)).toBeUndefined();
      expect(parseSupervisorMessage(value)).toBeUndefined();
      expect(speaksOurVersion(value)).toBe(false);
    }),
  );
  for (const bad of [
    { type: 'hello', need: 'much', settings: {} },
    { type: 'hello', need: 'full' },
    { type: 'hello', need: 'full', settings: { apiKey: 7 } },
    { type: 'hello', need: 'full', settings: { workerEnv: { A: 1 } } },
  ]) {
    expect(parseClientMessage(bad)).toBeUndefined();
  }
});
