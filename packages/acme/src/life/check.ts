import type { AcmeParts, Subject } from '../types.ts';
import type { Board } from './board.ts';
import { failureOf } from './failure.ts';
import { chooseWay } from './ways.ts';

/** Whether control of a name could be shown now. */
export interface NameCheck {
  readonly name: string;
  /** null = not at all. */
  readonly challenge: string | null;
  /** Why so, or what to do. */
  readonly msg: string;
}

/** What an order would find, name by name; nobody but the names themselves is asked. */
export function checkNames(parts: AcmeParts, board: Board, subject: Subject): Promise<readonly NameCheck[]> {
  return Promise.all(
    subject.names.map(async (name) => {
      try {
        const { way, why } = await chooseWay(parts, board, subject, name);
        return { name, challenge: way, msg: why };
      } catch (error) {
        return { name, challenge: null, msg: failureOf(error, '').message };
      }
    }),
  );
}
