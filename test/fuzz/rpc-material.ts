/** RPC messages (agent-protocol.md §5) of several generations of agents, valid and nearly valid. */
import { materialOf } from './mutate.ts';

export const MESSAGES = materialOf(
  [
    '{"Version":["3","2"],"ClientId":"","Extra":{"OS":"linux","Arch":"amd64","Authtoken":"2abc_def","Version":"3.3.0",' +
      '"HeartbeatInterval":10000000000,"HeartbeatTolerance":15000000000,"UpdateUnsupportedError":null,"LegNumber":0}}',
    '{"version":["2"],"client_id":"x","extra":{"os":"darwin","heartbeat_interval":0,"stopUnsupportedError":""}}',
    '{"Id":"","Proto":"https","ForwardsTo":"http://localhost:80","ForwardsProto":"","Opts":{"Hostname":"a.test",' +
      '"Subdomain":"","Auth":"","HostHeaderRewrite":false,"ProxyProto":0,"Compression":{},"TrafficPolicy":"{}"},' +
      '"Extra":{"Token":"t","Metadata":"m","Bindings":["public"],"PoolingEnabled":true,"Name":"n","Description":"d"}}',
    '{"Id":"x","Proto":"http","Opts":{"BasicAuth":{"credentials":[{"username":"u","cleartext_password":"online1line",' +
      '"hashed_password":"aGFzaA=="}]},"RequestHeaders":{"add":["x: y"],"remove":["z"]},"CircuitBreaker":{' +
      '"error_threshold":0.5},"WebhookVerification":{"provider":"github","secret":"s","sealed_secret":""}}}',
    '{"Id":"","Proto":"tls","Opts":{"TLSTermination":{"cert":"","key":"","sealed_key":null},"MutualTLSCA":{' +
      '"mutual_tls_ca":"eA=="},"IPRestriction":{"allow_cidrs":["10.0.0.0/8"],"deny_cidrs":[]},"ProxyProto":2}}',
    '{"Proto":"http","Opts":{"Policy":{"Inbound":[{"Name":"r","Expressions":["true"],"Actions":[{"Type":"deny",' +
      '"Config":"eyJzdGF0dXNfY29kZSI6NDAzfQ=="}]}],"Outbound":null},"TrafficPolicy":{"on_http_request":[]}}}',
    '{"Id":"","Proto":"tcp","Opts":{"Addr":"localhost:20000","ProxyProto":1,"OAuth":{},"OIDC":{"issuer_url":"x"}}}',
    '{"Id":"","Labels":{"edge":"x","a":"b"},"ForwardsTo":"y","ForwardsProto":"http2","Metadata":"m"}',
    '{"TunnelId":"tn_1","Name":"n","Description":"","Metadata":null,"PoolingEnabled":false,"TrafficPolicy":"{}"}',
    '{"Id":"ep_1","URL":"https://a.test","Proto":"https","Opts":{},"Error":"no\\n\\nERR_NGROK_334\\n","Extra":{"Token":"t"}}',
    '{"Version":"3","ClientId":"c","Error":"","Extra":{"Region":"us","Cookie":"x","AgentSessionID":"ts_1"}}',
    '{"Id":"ep_1","Message":"bye","ErrorCode":null}',
    '{"Version":"3.4.0","PermitMajorVersion":true}',
    ' \r\n\t{"Id":"\\ud83d\\ude00 \u00c3\u00a4 } \\" { [","Error":"x"} trailing',
    '{}',
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"Opts":{"__proto__":{"polluted":1}}}',
    // Nearly.
    '[1,2]',
    '"text"',
    '{"Id":"no end',
    '{"a":[[[[[[[[[[[[]]]]]]]]]]]]}',
    `{"a":${'['.repeat(70)}${']'.repeat(70)}}`,
    '{"Id":"\xff\xfe","Error":01}',
  ],
  [
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    '\\"',
    '\\u0000',
    '\\ud800',
    ',',
    ':',
    'null',
    'true',
    'false',
    '0',
    '-1',
    '1e999',
    '1e300',
    '""',
    '[]',
    '{}',
    '["x",1]',
    '{"a":1}',
    '"Extra":',
    '"Opts":',
    '"Error":',
    '"Version":',
    '"__proto__":',
    '"constructor":',
    '"ID":"x",',
    '"Labels":',
    '\u0000',
    '\xff',
    ' ',
    '\n',
  ],
);
