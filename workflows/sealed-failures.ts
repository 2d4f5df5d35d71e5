import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Moves the message and the stack of every failure into a payload, where the codec encrypts them with the rest. Bundled
 * with the workflows, and loaded by the worker, when keys are given; a failure's type stays in clear.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
