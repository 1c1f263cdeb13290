import type { LoginEvent } from '@postern/link';
import type { TunnelRecord } from '@postern/registry';
import type { Catalog } from './state/catalog.ts';
import type { LocalGate } from './gate/local.ts';
import type { EdgeSet } from './edges/edge-set.ts';
import type { NodeSettingsOfNow } from './edges/node-settings.ts';
import type { FailedAuthentications } from './state/failed-authentications.ts';
import type { RecentlyLeft } from './state/recently-left.ts';
import type { ControlDependencies, PolicyRules } from './config.ts';
import type { Turns } from './turns.ts';

/** What the parts of control share; made once by `createControl`. */
export interface Core extends ControlDependencies {
  readonly policy: PolicyRules;
  readonly catalog: Catalog;
  readonly edges: EdgeSet;
  /** What those share. */
  readonly settings: NodeSettingsOfNow;
  /** Everything that takes, moves or frees an address runs in here. */
  readonly claims: LocalGate;
  /** `give-back.ts`: what agents that left had reserved by binding, now or in a moment. */
  readonly returns: {
    now(ids: readonly string[]): Promise<void>;
    later(ids: readonly string[]): void;
  };
  /** `agents/sleepers.ts`: agents that lost an address for their silence. */
  readonly sleepers: {
    add(tunnel: TunnelRecord): void;
    forget(sessionId: string, bindId: string): void;
  };
  readonly failedAuthentications: FailedAuthentications;
  /** `state/logins.ts`: what edges tell of visitors. */
  readonly logins: { note(event: LoginEvent): void };
  readonly recentlyLeft: RecentlyLeft;
  /** For what looks at many rows. */
  readonly turns: Turns;
  /** Now, as rows and views write it. */
  readonly timestamp: () => string;
  /** Ends an agent session: its wire, its tunnels, its routes. Runs inside the claim step. */
  readonly endSession: (sessionId: string, reason: string) => Promise<void>;
}
