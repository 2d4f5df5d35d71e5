/** How a connection was meant to be made, as far as it explains why there is none. */
export interface ConnectionFacts {
  readonly address: string;
  readonly tls: boolean;
  readonly clientCertificate: boolean;
}

export interface ConnectionTrouble {
  /** Half a sentence: what is wrong and what to do. */
  readonly reason: string;
  /** Waiting won't mend it. */
  readonly isSetting: boolean;
}

type Words = (facts: ConnectionFacts) => string;

const hostOf = ({ address }: ConnectionFacts): string => address.replace(/:\d+$/, '');

/** grpc-js has few words for a peer that hangs up before it speaks HTTP/2. */
const HANGS_UP =
  /Last error: Failed to connect|Connection dropped|ECONNRESET|EPROTO|socket hang up|before secure TLS|broken pipe/i;

/** What OpenSSL, Node and rustls say, in the order in which a handshake meets them. */
const SETTINGS: readonly (readonly [RegExp, (facts: ConnectionFacts) => boolean, Words])[] = [
  [
    /wrong version number|packet length too long|InvalidContentType/i,
    ({ tls }) => tls,
    () =>
      'the server does not speak TLS there: give the port that does, or unset TEMPORAL_TLS* and TEMPORAL_API_KEY',
  ],
  [
    /altnames|ALTNAME_INVALID|NotValidForName/i,
    ({ tls }) => tls,
    (facts) =>
      `the server’s certificate is not made for ${hostOf(facts)}: connect by a name that is in it, or set TEMPORAL_TLS_SERVER_NAME to one`,
  ],
  [
    /certificate has expired|CERT_HAS_EXPIRED|InvalidCertificate\(Expired/i,
    ({ tls }) => tls,
    () => 'the server’s certificate has expired: renew it, or set this machine’s clock',
  ],
  [
    /verify the first certificate|self[- ]signed|issuer/i,
    ({ tls }) => tls,
    () =>
      'nobody who is trusted here vouches for the server’s certificate: set TEMPORAL_TLS_SERVER_CA_CERT_PATH to its CA’s certificate',
  ],
  [
    /certificate required|CertificateRequired|handshake failure|HandshakeFailure/i,
    ({ tls, clientCertificate }) => tls && !clientCertificate,
    () =>
      'the server asks for a client’s certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH',
  ],
  [
    /alert (?:certificate|bad certificate|unknown ca|unsupported certificate|handshake|access denied)|AlertReceived|fatal alert/i,
    ({ tls, clientCertificate }) => tls && clientCertificate,
    () =>
      'the server refuses the certificate of TEMPORAL_TLS_CLIENT_CERT_PATH: give one that its CA has signed and that has not expired',
  ],
];

const OTHERS: readonly (readonly [RegExp, Words])[] = [
  [/ECONNREFUSED/, () => 'nothing listens there'],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/i, () => 'the host’s name is not known'],
  [/EHOSTUNREACH|ENETUNREACH/, () => 'there is no way to that host'],
  [
    // A server that starts or stops does so, too: only time can tell.
    HANGS_UP,
    ({ tls }) =>
      tls
        ? 'the server hangs up: it may be starting, or refuse the certificate of TEMPORAL_TLS_CLIENT_CERT_PATH or the lack of one'
        : 'the server hangs up: it may be starting, or want TLS; if it speaks TLS, set TEMPORAL_TLS=true',
  ],
];

/** Says in plain words what a failed connection's own words mean. */
export function explainConnection(text: string, facts: ConnectionFacts): ConnectionTrouble {
  const setting = SETTINGS.find(([pattern, applies]) => pattern.test(text) && applies(facts));
  if (setting !== undefined) return { reason: setting[2](facts), isSetting: true };
  const other = OTHERS.find(([pattern]) => pattern.test(text));
  // OpenSSL's words have line ends.
  const reason = other?.[1](facts) ?? text.replaceAll(/\s+/g, ' ').trim();
  return { reason, isSetting: false };
}
