import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cancelRequestProblem,
  messagesFor,
  NO_CONTROL,
  parseCancelRequest,
  withCancel,
} from '../../batch/control.js';
import type { CancelMode, CancelState, ControlState } from '../../batch/control.js';

const anyMode = fc.constantFrom<CancelMode>('keep', 'discard');
const anyVia = fc.constantFrom<CancelState['via']>('request', 'message');
const anyRequest = fc.record({ mode: anyMode, reason: fc.string() }, { requiredKeys: [] });
const anyCancels = fc.array(fc.tuple(anyRequest, anyVia), { maxLength: 6 });

function after(
  cancels: readonly (readonly [{ mode?: CancelMode; reason?: string }, CancelState['via']])[],
): ControlState {
  return cancels.reduce((state, [request, via]) => withCancel(state, request, via), NO_CONTROL);
}

describe('the first cancel', () => {
  it('keeps what was answered unless told otherwise', () => {
    expect(withCancel(NO_CONTROL, {}, 'request')).toEqual({
      cancel: { mode: 'keep', reason: null, via: 'request' },
      paused: false,
    });
  });

  it('is taken as it is asked, and leaves a pause alone', () => {
    const paused = { cancel: null, paused: true };
    expect(withCancel(paused, { mode: 'discard', reason: 'wrong model' }, 'message')).toEqual({
      cancel: { mode: 'discard', reason: 'wrong model', via: 'message' },
      paused: true,
    });
  });
});

describe('a second cancel', () => {
  const kept = withCancel(NO_CONTROL, { reason: 'first' }, 'request');

  it('may turn keep into discard, and nothing else', () => {
    expect(withCancel(kept, { mode: 'discard', reason: 'second' }, 'message').cancel).toEqual({
      mode: 'discard',
      reason: 'first',
      via: 'request',
    });
  });

  it.each([
    ['keep after keep', kept, {}],
    ['keep after discard', withCancel(NO_CONTROL, { mode: 'discard' }, 'message'), { mode: 'keep' }],
    ['discard after discard', withCancel(NO_CONTROL, { mode: 'discard' }, 'message'), { mode: 'discard' }],
  ] as const)('%s changes nothing', (_, state, request) => {
    expect(withCancel(state, { ...request, reason: 'second' }, 'request')).toEqual(state);
  });

  it('never brings back what was given up, nor another reason', () => {
    fc.assert(
      fc.property(anyCancels, (cancels) => {
        const { cancel } = after(cancels);
        const [first] = cancels;
        if (first === undefined) return cancel === null;
        const discarded = cancels.some(([{ mode }]) => mode === 'discard');
        expect(cancel).toEqual({
          mode: discarded ? 'discard' : 'keep',
          reason: first[0].reason ?? null,
          via: first[1],
        });
        return true;
      }),
    );
  });
});

describe('the messages for a shard', () => {
  const cancelled = withCancel(NO_CONTROL, {}, 'message');
  const discarded = withCancel(cancelled, { mode: 'discard' }, 'message');
  const paused = { ...NO_CONTROL, paused: true };

  it.each([
    ['nothing new', NO_CONTROL, NO_CONTROL, []],
    ['a cancel', NO_CONTROL, cancelled, ['cancel']],
    ['a cancel that it knows of', cancelled, cancelled, []],
    ['keep turned into discard', cancelled, discarded, ['cancel']],
    ['a pause', NO_CONTROL, paused, ['pause']],
    ['a pause that it knows of', paused, paused, []],
    ['the end of a pause', paused, NO_CONTROL, ['resume']],
    ['a cancel and a pause', NO_CONTROL, { ...cancelled, paused: true }, ['cancel', 'pause']],
    ['a cancel and the end of a pause', paused, cancelled, ['cancel', 'resume']],
    ['a pause, the cancel known', cancelled, { ...cancelled, paused: true }, ['pause']],
  ] as const)('%s', (_, given, now, messages) => {
    expect(messagesFor(given, now)).toEqual(messages);
  });

  it('bring any earlier state up to the present one', () => {
    fc.assert(
      fc.property(anyCancels, fc.nat(), fc.boolean(), fc.boolean(), (cancels, known, before, now) => {
        const given = { ...after(cancels.slice(0, known % (cancels.length + 1))), paused: before };
        const present = { ...after(cancels), paused: now };
        let told: ControlState = given;
        for (const message of messagesFor(given, present)) {
          told =
            message === 'cancel'
              ? withCancel(told, { ...(present.cancel && { mode: present.cancel.mode }) }, 'message')
              : { ...told, paused: message === 'pause' };
        }
        expect([told.cancel?.mode, told.paused]).toEqual([present.cancel?.mode, present.paused]);
        expect(messagesFor(told, present)).toEqual([]);
      }),
    );
  });
});

describe("a cancel's argument", () => {
  it.each([
    [undefined],
    [null],
    [{}],
    [{ mode: 'keep' }],
    [{ mode: 'discard', reason: 'too dear' }],
    [{ reason: 'x'.repeat(1000) }],
  ])('%j is fine', (request) => {
    expect(cancelRequestProblem(request)).toBeNull();
    expect(parseCancelRequest(request)).toEqual(request ?? {});
  });

  it.each([
    ['discard', 'cancel takes an object'],
    [7, 'cancel takes an object'],
    [{ mode: 'DISCARD' }, 'mode is "keep" or "discard"'],
    [{ reason: 7 }, 'reason is a text'],
    [{ mode: 'keep', reason: 'x'.repeat(1001) }, 'at most 1000 characters'],
  ])('%j is refused', (request, words) => {
    expect(cancelRequestProblem(request)).toContain(words);
  });

  it('that is refused still cancels when a signal brought it, in the way that loses nothing', () => {
    const request = parseCancelRequest({ mode: 'everything', reason: 7 });
    expect(withCancel(NO_CONTROL, request, 'message').cancel).toEqual({
      mode: 'keep',
      reason: null,
      via: 'message',
    });
  });

  it('may say null for what is left out, and keeps what can be understood', () => {
    const request = { mode: 'discard', reason: null };
    expect(cancelRequestProblem(request)).toBeNull();
    expect(parseCancelRequest(request)).toEqual({ mode: 'discard' });
    expect(parseCancelRequest({ mode: 'discard', reason: 7 })).toEqual({ mode: 'discard' });
  });

  it('never makes the parser throw', () => {
    fc.assert(
      fc.property(fc.anything(), (request) => {
        const { mode, reason } = parseCancelRequest(request);
        return (
          (mode === undefined || mode === 'keep' || mode === 'discard') && typeof (reason ?? '') === 'string'
        );
      }),
    );
  });
});
