import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FindOptions } from './binary-cache.js';
import { findBinary, type BinaryRecipe } from './find-binary.js';
import { lastLines, runCommand } from './run-command.js';
import { TEMPORAL_SDK_VERSION, downloadFromTemporal } from './temporal-download.js';

const MAVEN_VERSION = '1.38.0';
const FILE_NAME = 'temporal-test-server';

const TEST_SERVER: BinaryRecipe = {
  title: 'Temporal test server',
  fileName: FILE_NAME,
  tool: 'temporal-test-server',
  variable: 'TEMPORAL_TEST_SERVER_PATH',
  searchPath: false,
  probe: {
    // Without a port it prints its usage: the only call that ends by itself.
    args: [],
    accepts: (result) => `${result.stdout}${result.stderr}`.includes('--enable-time-skipping'),
  },
  ways: [
    {
      name: 'download',
      version: `sdk-${TEMPORAL_SDK_VERSION}`,
      fill: (folder, options) =>
        downloadFromTemporal({ artifact: 'temporal-test-server' }, folder, FILE_NAME, options),
    },
    { name: 'Maven', version: `maven-${MAVEN_VERSION}`, fill: fetchFromMaven },
  ],
  remedies: [
    'set TEMPORAL_TEST_SERVER_PATH to the test server, or to a script that starts it',
    'let this machine reach https://temporal.download',
    `install Java and Maven, so that io.temporal:temporal-test-server:${MAVEN_VERSION} can be fetched`,
  ],
};

/**
 * The path of Temporal's time-skipping test server, to be used as the SDK's `existing-path`:
 * `TEMPORAL_TEST_SERVER_PATH`, Longhaul's cache, a download, the Java artifact from Maven, in this order.
 * @throws MissingBinaryError, which lists these options.
 */
export function findTestServer(options: FindOptions): Promise<string> {
  return findBinary(TEST_SERVER, options);
}

/** slf4j-nop: without a binding each start prints three lines of warnings. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>longhaul</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${MAVEN_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

/** The SDK waits only 5 s for the port, so the JVM is told to start fast rather than to run fast. */
const WRAPPER = `#!/bin/sh
exec "\${JAVA_HOME:+$JAVA_HOME/bin/}java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

async function fetchFromMaven(folder: string, options: FindOptions): Promise<void> {
  options.onProgress(`fetching the Temporal test server ${MAVEN_VERSION} with Maven (once)`);
  const project = await mkdtemp(join(tmpdir(), 'longhaul-maven-'));
  try {
    await writeFile(join(project, 'pom.xml'), POM);
    const args = ['-B', '-q', 'dependency:copy-dependencies', '-DincludeScope=runtime'];
    const result = await runCommand('mvn', [...args, `-DoutputDirectory=${join(folder, 'lib')}`], {
      env: options.env,
      cwd: project,
      signal: options.signal,
    });
    // Maven reports its errors on stdout.
    if (result.code !== 0) throw new Error(`mvn failed: ${lastLines(result.stdout + result.stderr, 5)}`);
  } finally {
    await rm(project, { recursive: true, force: true });
  }
  const wrapper = join(folder, FILE_NAME);
  await writeFile(wrapper, WRAPPER);
  await chmod(wrapper, 0o755);
}
