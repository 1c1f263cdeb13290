/**
 * What policies name besides endpoints, and which of their log-ins are over, as edges hold it: in memory, never in a log. Plain data; each has an id of its
 * own, by which it is replaced and forgotten.
 */
export type PolicyResource =
  | {
      readonly kind: 'secret';
      readonly id: string;
      readonly accountId: string;
      /** Names, as `secrets.get(vault, name)` has them. */
      readonly vault: string;
      readonly name: string;
      readonly value: string;
    }
  | {
      readonly kind: 'ip-policy';
      readonly id: string;
      readonly accountId: string;
      /** CIDR ranges of its rules. */
      readonly allow: readonly string[];
      readonly deny: readonly string[];
    }
  | {
      readonly kind: 'certificate-authority';
      readonly id: string;
      readonly accountId: string;
      readonly pem: string;
    }
  | {
      readonly kind: 'ended-login';
      /** Of a session, or of a user. */
      readonly id: string;
      readonly accountId: string;
      /** Unix milliseconds: sessions of the user that began earlier are over; 0 = it is the session of this id. */
      readonly begunBefore: number;
    };
