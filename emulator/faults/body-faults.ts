import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import type { BodyFault, Fault } from './fault.js';

const BODY_FAULTS = ['bytesNull', 'unknownStatus', 'wrongCounters', 'poisonedItem', 'rawBody'];

function isBodyFault(fault: Fault): fault is BodyFault {
  return BODY_FAULTS.includes(fault.type);
}

/** Applies a change to an object, or to each item of a list answer. */
function changeEach(payload: Fields, change: Fields): Fields {
  const data: unknown = payload['data'];
  if (!Array.isArray(data)) return { ...payload, ...change };
  return { ...payload, data: data.map((item: unknown) => (isFields(item) ? { ...item, ...change } : item)) };
}

/** An item that fits no schema; a client that parses a list as a whole loses the good items with it. */
const POISON: Fields = { id: null, object: 'batch', status: 7, created_at: 'yesterday', bytes: 'many' };

function poison(payload: Fields, mode: 'insert' | 'replace'): Fields {
  const data: readonly unknown[] = Array.isArray(payload['data']) ? payload['data'] : [];
  return { ...payload, data: [POISON, ...(mode === 'replace' ? data.slice(1) : data)] };
}

function applyOne(fault: BodyFault, payload: Fields): Fields {
  switch (fault.type) {
    case 'bytesNull':
      return changeEach(payload, { bytes: null });
    case 'unknownStatus':
      return changeEach(payload, { status: fault.status });
    case 'wrongCounters':
      return changeEach(payload, fault.counters);
    case 'poisonedItem':
      return poison(payload, fault.mode);
    case 'rawBody':
      return payload;
  }
}

export function applyBodyFaults(faults: readonly Fault[], payload: Fields): Fields {
  return faults.filter(isBodyFault).reduce((changed, fault) => applyOne(fault, changed), payload);
}
