import { describe, expect, it } from 'vitest';
import { explainConnection } from '../../client/connection-trouble.js';

const PLAIN = { address: 'temporal.example:7233', tls: false, clientCertificate: false };
const TLS = { ...PLAIN, tls: true };
const MUTUAL = { ...TLS, clientCertificate: true };

/** As grpc-js 1.14 and Node 20 say it; measured. */
const LAST = 'No connection established. Last error: ';

const WANTS_TLS =
  'the server hangs up: it may be starting, or want TLS; if it speaks TLS, set TEMPORAL_TLS=true';

describe('a failed connection', () => {
  it.each([
    [TLS, 'Error: unable to verify the first certificate', 'TEMPORAL_TLS_SERVER_CA_CERT_PATH'],
    [TLS, 'Error: self-signed certificate in certificate chain', 'TEMPORAL_TLS_SERVER_CA_CERT_PATH'],
    [TLS, 'Error: unable to get local issuer certificate', 'TEMPORAL_TLS_SERVER_CA_CERT_PATH'],
    [TLS, 'Error: certificate has expired', 'has expired'],
    [
      TLS,
      "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: ",
      'not made for temporal.example: connect by a name that is in it, or set TEMPORAL_TLS_SERVER_NAME',
    ],
    [
      TLS,
      '80EC:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:rec_layer_s3.c:1601:SSL alert number 116',
      'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH',
    ],
    [
      TLS,
      'error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:SSL alert number 40',
      'asks for a client’s',
    ],
    [
      MUTUAL,
      'error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:SSL alert number 48',
      'refuses the certificate',
    ],
    [
      TLS,
      'Error: error:0A00010B:SSL routines:ssl3_get_record:wrong version number:350:',
      'does not speak TLS',
    ],
  ])('is a matter of settings: %# %s', (facts, text, advice) => {
    expect(explainConnection(`${LAST}${text}. Resolution note: `, facts)).toEqual({
      reason: expect.stringContaining(advice),
      isSetting: true,
    });
  });

  it.each([
    [PLAIN, 'Error: connect ECONNREFUSED 127.0.0.1:1', 'nothing listens there'],
    [TLS, 'Error: connect ECONNREFUSED 127.0.0.1:1', 'nothing listens there'],
    [PLAIN, 'Name resolution failed for target dns:nowhere.invalid:7233', 'the host’s name is not known'],
    // A server with TLS that restarts resets connections, too.
    [
      MUTUAL,
      'Error: read ECONNRESET',
      'the server hangs up: it may be starting, or refuse the certificate of TEMPORAL_TLS_CLIENT_CERT_PATH or the lack of one',
    ],
    [PLAIN, 'Failed to connect (2026-11-24T12:36:30.714Z)', WANTS_TLS],
    [PLAIN, 'Error: read ECONNRESET', WANTS_TLS],
    [TLS, 'something new,\n  on two lines', `${LAST}something new, on two lines`],
  ])('may be over later: %# %s', (facts, text, reason) => {
    expect(explainConnection(`${LAST}${text}`, facts)).toEqual({ reason, isSetting: false });
  });
});
