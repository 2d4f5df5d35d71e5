import type { RunRegistry } from '../client/run-registry.js';
import type { CliContext } from './context.js';
import { withLink } from './link.js';

/** Temporal, asked about batches and runs for as long as `use` takes. An embedded server is started if none runs. */
export async function withRuns<T>(context: CliContext, use: (runs: RunRegistry) => Promise<T>): Promise<T> {
  const [{ runRegistry }, { resolveTarget }, { Temporal }] = await Promise.all([
    import('../client/run-registry.js'),
    import('../client/target.js'),
    import('../client/temporal.js'),
  ]);
  return withLink(context, { need: 'none' }, async ({ session }) => {
    const embedded = session === null ? {} : { address: session.address, namespace: session.namespace };
    const temporal = new Temporal(await resolveTarget(embedded, context.config.home));
    try {
      return await use(runRegistry(temporal));
    } finally {
      await temporal.close();
    }
  });
}
