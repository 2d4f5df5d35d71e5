import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { FileUpload } from '../../providers/provider.js';
import {
  API_KEY,
  clientOf,
  collect,
  failureOf,
  json,
  rawServer,
  type RawRequest,
} from './providers-raw-server.js';

function fileObject(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    id: '33333333-3333-4333-8333-333333333333',
    object: 'file',
    bytes: 11,
    created_at: 1_732_400_347,
    filename: 'rows.jsonl',
    purpose: 'batch',
    sample_type: 'batch_request',
    source: 'upload',
    num_lines: 1,
    ...fields,
  };
}

function fileOf(content: string, announced = Buffer.byteLength(content)): FileUpload {
  return { name: 'rows.jsonl', bytes: announced, open: () => chunked(content) };
}

async function* chunked(content: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += 4) yield bytes.subarray(at, at + 4);
}

async function formOf(request: RawRequest): Promise<FormData> {
  const body = await request.body();
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  return new Response(body, { headers }).formData();
}

describe('uploading a file', () => {
  it('sends one multipart form of the announced length', async () => {
    const forms: FormData[] = [];
    const server = await rawServer(async (request, response) => {
      forms.push(await formOf(request));
      json(response, fileObject());
    });
    const progress: number[] = [];
    const upload = { ...fileOf('{"body":{}}'), name: 'odd "name"\r\n.jsonl' };
    const file = await clientOf(server).uploadFile(upload, { onProgress: (bytes) => progress.push(bytes) });
    const [request] = server.requests;
    expect(request?.headers['transfer-encoding']).toBeUndefined();
    expect(Number(request?.headers['content-length'])).toBeGreaterThan(11);
    const part = forms[0]?.get('file');
    expect(forms[0]?.get('purpose')).toBe('batch');
    expect(part).toBeInstanceOf(Blob);
    if (part instanceof Blob) expect(await part.text()).toBe('{"body":{}}');
    expect(progress).toEqual([4, 8, 11]);
    expect(file).toEqual({
      id: fileObject().id,
      name: 'rows.jsonl',
      bytes: 11,
      lines: 1,
      createdAt: 1_732_400_347_000,
    });
  });

  it('reads a reply that says null for what it does not know', async () => {
    const server = await rawServer(async (request, response) => {
      await request.body();
      json(response, fileObject({ bytes: null, num_lines: null, filename: null, object: undefined }), 201);
    });
    const file = await clientOf(server).uploadFile(fileOf('{"body":{}}'), {});
    expect(file).toMatchObject({ bytes: null, lines: null, name: 'rows.jsonl' });
  });

  it.each([
    ['fewer', 12],
    ['more', 10],
  ])(
    'stops before the request is complete when the source has %s bytes than announced',
    async (_what, announced) => {
      let wholeRequests = 0;
      const server = await rawServer(async (request, response) => {
        await request.body();
        wholeRequests += 1;
        json(response, fileObject());
      });
      const error = await failureOf(clientOf(server).uploadFile(fileOf('{"body":{}}', announced), {}));
      expect(error).toMatchObject({ type: 'IntegrityMismatch', effect: 'refused' });
      expect(wholeRequests).toBe(0);
    },
  );

  it('passes on an error of the source, and closes the source when the provider fails', async () => {
    const server = await rawServer(async (request, response) => {
      await request.body();
      json(response, fileObject());
    });
    const broken = new Error('disk is gone');
    const failing: FileUpload = {
      ...fileOf('{"body":{}}'),
      open: async function* () {
        yield Buffer.from('{"b');
        throw broken;
      },
    };
    await expect(clientOf(server).uploadFile(failing, {})).rejects.toBe(broken);

    const down = await rawServer((request) => void request.socket.resetAndDestroy());
    let closed = false;
    const endless: FileUpload = {
      name: 'rows.jsonl',
      bytes: 400_000_000,
      open: async function* () {
        try {
          for (;;) yield Buffer.alloc(65_536);
        } finally {
          closed = true;
        }
      },
    };
    const error = await failureOf(clientOf(down).uploadFile(endless, {}));
    expect(error).toMatchObject({ type: 'ProviderAmbiguous', effect: 'unknown' });
    await expect.poll(() => closed).toBe(true);
  });

  it('opens nothing when the connection is refused', async () => {
    let opened = false;
    const upload: FileUpload = {
      name: 'rows.jsonl',
      bytes: 1,
      open: () => {
        opened = true;
        return chunked('x');
      },
    };
    const error = await failureOf(clientOf({ url: 'http://127.0.0.1:1' }).uploadFile(upload, {}));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', effect: 'refused' });
    expect(opened).toBe(false);
  });

  it('gives up a connection that takes nothing more, and is ambiguous then', async () => {
    const server = await rawServer((request) => void request.stream.pause());
    const upload: FileUpload = {
      name: 'rows.jsonl',
      bytes: 500_000_000,
      open: async function* () {
        for (;;) yield Buffer.alloc(1 << 20);
      },
    };
    const error = await failureOf(clientOf(server).uploadFile(upload, { timeoutMs: 200 }));
    expect(error).toMatchObject({ type: 'ProviderAmbiguous' });
    expect(error.message).toContain('0.2 s');
  });

  it('lasts longer than its time-out as long as it advances', async () => {
    const server = await rawServer(async (request, response) => {
      await request.body();
      json(response, fileObject());
    });
    const upload: FileUpload = {
      name: 'rows.jsonl',
      bytes: 8,
      open: async function* () {
        for (let n = 0; n < 8; n++) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          yield Buffer.from('x');
        }
      },
    };
    await expect(clientOf(server).uploadFile(upload, { timeoutMs: 250 })).resolves.toMatchObject({
      lines: 1,
    });
  });

  it('takes a refusal that comes before the file is through', async () => {
    const server = await rawServer((_request, response) => json(response, { detail: 'Unauthorized' }, 401));
    const upload: FileUpload = {
      name: 'rows.jsonl',
      bytes: 4_000,
      open: async function* () {
        yield Buffer.alloc(2_000);
        await new Promise((resolve) => setTimeout(resolve, 100));
        yield Buffer.alloc(2_000);
      },
    };
    const error = await failureOf(clientOf(server).uploadFile(upload, {}));
    expect(error).toMatchObject({ type: 'ProviderAuth', effect: 'refused' });
  });

  it("sends no file above the provider's limit", async () => {
    const server = await rawServer((_request, response) => json(response, fileObject()));
    const error = await failureOf(clientOf(server).uploadFile(fileOf('x', 512_000_001), {}));
    expect(error).toMatchObject({ type: 'ProviderRejected', effect: 'refused' });
    expect(server.requests).toHaveLength(0);
  });
});

describe('downloading a file', () => {
  it('streams the bytes and says their length first', async () => {
    const content = randomBytes(300_000);
    const server = await rawServer((_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': String(content.length),
      });
      response.end(content);
    });
    const progress: number[] = [];
    const download = await clientOf(server).downloadFile('f', {
      onProgress: (bytes) => progress.push(bytes),
    });
    expect(download.contentLength).toBe(300_000);
    expect(Buffer.concat(await collect(download.content)).equals(content)).toBe(true);
    expect(progress.at(-1)).toBe(300_000);
    expect(server.requests[0]?.url.pathname).toBe('/v1/files/f/content');
  });

  it('reads an empty file, and one of unknown length', async () => {
    const server = await rawServer((request, response) => {
      if (request.url.pathname.includes('empty')) response.writeHead(200, { 'content-length': '0' }).end();
      else response.writeHead(200, { 'transfer-encoding': 'chunked' }).end('abc');
    });
    const empty = await clientOf(server).downloadFile('empty', {});
    expect(await collect(empty.content)).toEqual([]);
    const chunkedFile = await clientOf(server).downloadFile('x', {});
    expect(chunkedFile.contentLength).toBeNull();
    expect(Buffer.concat(await collect(chunkedFile.content)).toString()).toBe('abc');
  });

  it('notices an end before the announced length', async () => {
    const server = await rawServer((request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x'.repeat(400), () => request.socket.end());
    });
    const download = await clientOf(server).downloadFile('f', {});
    const error = await failureOf(collect(download.content));
    expect(error).toMatchObject({ type: 'ProviderUnavailable' });
    expect(error.message).toContain('400 of 1000');
  });

  it('calls a reset in mid-stream unavailable', async () => {
    const server = await rawServer((request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x'.repeat(400), () => setTimeout(() => request.socket.resetAndDestroy(), 30));
    });
    const download = await clientOf(server).downloadFile('f', {});
    expect(await failureOf(collect(download.content))).toMatchObject({ type: 'ProviderUnavailable' });
  });

  it('gives up a stream that stands still, but not because its reader is slow', async () => {
    const server = await rawServer((request, response) => {
      response.writeHead(200, { 'content-length': '1000000' });
      if (request.url.pathname.includes('stuck')) response.write('x'.repeat(400));
      else response.end('x'.repeat(1_000_000));
    });
    const client = clientOf(server);
    const stuck = await client.downloadFile('stuck', { timeoutMs: 100 });
    expect(await failureOf(collect(stuck.content))).toMatchObject({ type: 'ProviderUnavailable' });
    const slow = await client.downloadFile('slow', { timeoutMs: 100 });
    let bytes = 0;
    for await (const chunk of slow.content) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 250));
      bytes += chunk.byteLength;
    }
    expect(bytes).toBe(1_000_000);
  });

  it('throws the reason of its signal in mid-stream, and frees the connection when its reader stops', async () => {
    const server = await rawServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000000' });
      response.write('x'.repeat(400));
    });
    const controller = new AbortController();
    const download = await clientOf(server).downloadFile('f', { signal: controller.signal });
    const reason = new Error('cancelled');
    const reading = collect(download.content);
    setImmediate(() => controller.abort(reason));
    await expect(reading).rejects.toBe(reason);

    const other = await clientOf(server).downloadFile('g', {});
    for await (const _ of other.content) break;
    await expect.poll(() => server.requests[1]?.socket.destroyed).toBe(true);
  });

  it('maps an answer that is no file', async () => {
    const server = await rawServer((_request, response) => json(response, { detail: 'gone' }, 404));
    const error = await failureOf(clientOf(server).downloadFile('f', {}));
    expect(error).toMatchObject({ type: 'ProviderNotFound', status: 404 });
  });

  it('follows a redirect to another origin without showing it the key', async () => {
    const store = await rawServer((_request, response) => void response.end('abc'));
    const server = await rawServer((request, response) => {
      if (request.url.pathname === '/v1/files/f/content') {
        response.writeHead(307, { location: '/here' }).end('moved');
      } else response.writeHead(302, { location: `${store.url}/signed?x=1` }).end();
    });
    const download = await clientOf(server).downloadFile('f', {});
    expect(Buffer.concat(await collect(download.content)).toString()).toBe('abc');
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${API_KEY}`,
      `Bearer ${API_KEY}`,
    ]);
    expect(store.requests[0]?.headers.authorization).toBeUndefined();
    expect(store.requests[0]?.url.search).toBe('?x=1');
  });

  it('waits its turn for each redirect within the provider, and for none that leads elsewhere', async () => {
    const elsewhere = await rawServer((_request, response) => void response.end('x'));
    const server = await rawServer(({ url }, response) => {
      const hops = Number(url.searchParams.get('hops'));
      const location = hops < 2 ? `/on?hops=${hops + 1}` : `${elsewhere.url}/file`;
      response.writeHead(302, { location }).end();
    });
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      sleep: async (milliseconds: number) => Promise.resolve(void waits.push(milliseconds)),
    };
    const client = clientOf(server, { requestsPerSecond: 1, clock });
    const { content } = await client.downloadFile('f', {});
    expect(Buffer.concat(await collect(content)).toString()).toBe('x');
    expect(server.requests).toHaveLength(3);
    expect(waits).toEqual([1_000, 2_000]);
  });

  it('gives a call with a small answer its time once, not once for each redirect', async () => {
    const server = await rawServer(async (_request, response) => {
      await sleep(400);
      response.writeHead(307, { location: `/hop-${server.requests.length}` }).end();
    });
    const error = await failureOf(clientOf(server).getFile('f', { timeoutMs: 600 }));
    expect(error).toMatchObject({ type: 'ProviderUnavailable' });
    expect(server.requests).toHaveLength(2);
  });

  it('leaves a circle of redirects', async () => {
    const server = await rawServer(
      (_request, response) => void response.writeHead(302, { location: '/' }).end(),
    );
    const error = await failureOf(clientOf(server).downloadFile('f', {}));
    expect(error).toMatchObject({ type: 'ProviderContract' });
    expect(server.requests).toHaveLength(4);
  });
});

describe('finding and deleting files', () => {
  it('finds files of exactly that name, oldest first', async () => {
    const data = [
      fileObject({ id: 'new', created_at: 20 }),
      fileObject({ id: 'longer', filename: 'rows.jsonl.bak' }),
      'not a file',
      fileObject({ id: 'old', created_at: 10 }),
    ];
    const server = await rawServer((_request, response) =>
      json(response, { data, object: 'list', total: 4 }),
    );
    const found = await clientOf(server).findFiles('rows.jsonl', {});
    expect(found.map(({ id }) => id)).toEqual(['old', 'new']);
    expect(server.requests[0]?.url.search).toBe('?page=0&page_size=100&purpose=batch&search=rows.jsonl');
  });

  it('calls a file deleted that was gone already, and not one that was kept', async () => {
    const server = await rawServer((request, response) => {
      if (request.url.pathname.endsWith('gone')) json(response, {}, 404);
      else if (request.url.pathname.endsWith('kept')) json(response, { id: 'kept', deleted: false });
      else response.writeHead(204).end();
    });
    const client = clientOf(server);
    await client.deleteFile('gone', {});
    await client.deleteJob('x', {});
    await expect(client.deleteFile('kept', {})).rejects.toMatchObject({ type: 'ProviderContract' });
    expect(server.requests.every(({ method }) => method === 'DELETE')).toBe(true);
  });

  it('signs a URL for 1 to 168 hours', async () => {
    const server = await rawServer((request, response) =>
      json(response, { url: `https://files.example/x?e=${request.url.searchParams.get('expiry')}` }),
    );
    await expect(clientOf(server).fileUrl('f', 168, {})).resolves.toBe('https://files.example/x?e=168');
    await expect(clientOf(server).fileUrl('f', 169, {})).rejects.toMatchObject({ type: 'ProviderRejected' });
  });
});
