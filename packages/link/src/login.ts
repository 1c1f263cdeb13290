/** What edges tell of visitors who log in by policies. Times are Unix milliseconds. */
export type LoginEvent =
  | {
      readonly kind: 'began';
      readonly accountId: string;
      readonly sessionId: string;
      readonly at: number;
      /** When it is over at the latest; 0 = never by itself. */
      readonly until: number;
      readonly user: LoginUser;
      readonly browser: LoginBrowser;
      readonly endpointId: string;
      readonly url: string;
    }
  /** A request of it; not of each one. */
  | {
      readonly kind: 'seen';
      readonly accountId: string;
      readonly sessionId: string;
      readonly userId: string;
      readonly at: number;
    }
  /** Before its time, by its visitor or by its provider. */
  | {
      readonly kind: 'ended';
      readonly accountId: string;
      readonly sessionId: string;
      /** When it would have been over at the latest; 0 = never by itself. */
      readonly until: number;
    };

export interface LoginUser {
  /** The same for each log-in of one person of one provider to one account. */
  readonly id: string;
  readonly provider: string;
  readonly subject: string;
  /** '' = not known. */
  readonly email: string;
  readonly name: string;
}

export interface LoginBrowser {
  readonly userAgent: {
    readonly raw: string;
    readonly browserName: string;
    readonly browserVersion: string;
    readonly deviceType: string;
    readonly osName: string;
    readonly osVersion: string;
  };
  readonly ipAddress: string;
}
