import { createWriteStream } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { join, normalize, isAbsolute } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FindOptions } from './binary-cache.js';
import { lastLines, runCommand } from './run-command.js';

/**
 * The SDK's own download of its ephemeral servers, as in `ephemeral_server/mod.rs` of its core: a small JSON
 * document at temporal.download names the archive and the file inside that suits this SDK version. Done here,
 * not by the SDK, because this room runs without it and because the SDK keeps the file in the shared temp folder
 * for one day only.
 */
export const TEMPORAL_SDK_VERSION = '1.24.0';

const SERVICE = 'https://temporal.download';
/** A machine behind a firewall must fall through to the next way quickly. */
const CONNECT_TIMEOUT_MS = 5_000;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

export interface DownloadArtifact {
  readonly artifact: 'cli' | 'temporal-test-server';
  /** The archive format that the SDK asks for; it asks for none in the case of the test server. */
  readonly format?: 'tar.gz';
}

interface DownloadInfo {
  readonly archiveUrl: string;
  readonly fileToExtract: string;
}

/**
 * Downloads an artifact into `folder` under the given name, executable.
 * @throws an Error that says why it was not possible; the caller has other ways to go.
 */
export async function downloadFromTemporal(
  wanted: DownloadArtifact,
  folder: string,
  name: string,
  options: FindOptions,
): Promise<void> {
  const info = await askForArchive(wanted, options);
  options.onProgress(`downloading ${info.archiveUrl}`);
  const archive = join(folder, info.archiveUrl.endsWith('.zip') ? 'download.zip' : 'download.tar.gz');
  const response = await fetch(info.archiveUrl, { signal: within(DOWNLOAD_TIMEOUT_MS, options.signal) });
  if (!response.ok || response.body === null) {
    throw new Error(`${info.archiveUrl} answered ${response.status}`);
  }
  await pipeline(response.body, createWriteStream(archive), {
    ...(options.signal && { signal: options.signal }),
  });
  // `tar` tells the compression by itself, and on Windows and macOS (bsdtar) unpacks zip files as well.
  const unpacked = await runCommand('tar', ['-xf', archive, '-C', folder, info.fileToExtract], options);
  if (unpacked.code !== 0) throw new Error(`tar failed: ${lastLines(unpacked.stderr, 3)}`);
  await rm(archive);
  const target = join(folder, name);
  if (join(folder, info.fileToExtract) !== target) await rename(join(folder, info.fileToExtract), target);
  await chmod(target, 0o755);
}

async function askForArchive(wanted: DownloadArtifact, options: FindOptions): Promise<DownloadInfo> {
  const query = new URLSearchParams({
    arch: downloadArch(),
    platform: downloadPlatform(),
    ...(wanted.format && { format: wanted.format }),
    'sdk-name': 'sdk-typescript',
    'sdk-version': TEMPORAL_SDK_VERSION,
  });
  const url = `${SERVICE}/${wanted.artifact}/default?${query.toString()}`;
  const response = await fetch(url, { signal: within(CONNECT_TIMEOUT_MS, options.signal) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return parseDownloadInfo(await response.json());
}

/** Accepts only what may safely be fetched and unpacked: https, a known archive, a path inside it. */
export function parseDownloadInfo(value: unknown): DownloadInfo {
  if (typeof value === 'object' && value !== null && 'archiveUrl' in value && 'fileToExtract' in value) {
    const { archiveUrl, fileToExtract } = value;
    if (typeof archiveUrl === 'string' && typeof fileToExtract === 'string') {
      const known = /^https:\/\/[^\s]+\.(tar\.gz|zip)$/.test(archiveUrl);
      const path = normalize(fileToExtract);
      const inside = path !== '.' && !isAbsolute(path) && !path.startsWith('..') && !path.startsWith('-');
      if (known && inside) return { archiveUrl, fileToExtract };
    }
  }
  throw new Error('the download service sent an answer that names no usable archive');
}

function downloadArch(): string {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64' || process.arch === 'arm') return 'arm64';
  throw new Error(`there is no download for the architecture ${process.arch}`);
}

function downloadPlatform(): string {
  if (process.platform === 'win32') return 'windows';
  return process.platform === 'darwin' ? 'darwin' : 'linux';
}

function within(milliseconds: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}
