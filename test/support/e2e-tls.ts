import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import type {
  ClientHttp2Session,
  Http2Session,
  IncomingHttpHeaders,
  SecureServerOptions,
  ServerHttp2Stream,
} from 'node:http2';
import { join } from 'node:path';
import { z } from 'zod';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Authorities and certificates for one test, made on the spot: none lies about that could expire or leak. */
export class TestCertificates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  authority(name: string): void {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    this.#openssl('req', '-x509', ...CURVE, ...files, '-days', '2', '-subj', `/CN=${name}`);
  }

  certificate(name: string, authority: string, extension: string): void {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
    this.#openssl('req', ...CURVE, ...files, '-subj', `/CN=${name}`, '-addext', extension);
    const issuer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
    const request = ['-req', '-in', `${name}.csr`, '-out', `${name}.pem`];
    this.#openssl('x509', ...request, ...issuer, '-days', '2', '-copy_extensions', 'copy');
  }

  path(file: string): string {
    return join(this.#folder, file);
  }

  read(file: string): Buffer {
    return readFileSync(this.path(file));
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' });
  }
}

const addressSchema = z.object({ port: z.number() });

export interface TlsFront {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** `Authorization` headers so far, each once. */
  readonly authorizations: ReadonlySet<string>;
  close(): Promise<void>;
}

/** gRPC's code for a caller who is not known. */
const UNAUTHENTICATED = '16';

/** A server that speaks TLS and passes calls on to a Temporal that does not; with `apiKey`, calls that carry it. */
export async function startTlsFront(
  target: string,
  options: SecureServerOptions & { readonly apiKey?: string },
): Promise<TlsFront> {
  const { apiKey, ...tls } = options;
  const authorizations = new Set<string>();
  const upstream = connectHttp2(`http://${target}`);
  const sessions = new Set<Http2Session>();
  const server = createSecureServer(tls);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const { authorization } = headers;
    if (authorization !== undefined) authorizations.add(authorization);
    if (apiKey !== undefined && authorization !== `Bearer ${apiKey}`) {
      const refusal = { 'grpc-status': UNAUTHENTICATED, 'grpc-message': 'no such key' };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...refusal }, { endStream: true });
    } else passOn(upstream, stream, headers);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = addressSchema.parse(server.address());
  return {
    address: `127.0.0.1:${port}`,
    authorizations,
    close: async () => {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function passOn(upstream: ClientHttp2Session, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const { ':scheme': _scheme, ':authority': _authority, ...others } = headers;
  const onward = upstream.request(others);
  onward.on('error', () => stream.destroy());
  stream.on('close', () => onward.close());
  onward.on('response', (answer, flags) => {
    if (stream.destroyed) return;
    // END_STREAM: an answer of headers alone, which is how gRPC refuses.
    const endStream = (flags & 1) === 1;
    stream.respond(answer, { endStream, waitForTrailers: !endStream });
    if (endStream) return;
    let trailers: IncomingHttpHeaders = {};
    onward.on('trailers', (received: IncomingHttpHeaders) => (trailers = received));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    onward.pipe(stream);
  });
  stream.pipe(onward);
}
