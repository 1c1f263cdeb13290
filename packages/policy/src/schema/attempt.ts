import { isPosternError, type PosternError } from '@postern/errors';

export type OnProblem = (error: PosternError) => void;

/** @returns null when there was a problem that `onProblem` has taken; without it the problem is thrown */
export function attempt<T>(read: () => T, onProblem: OnProblem | undefined): T | null {
  if (onProblem === undefined) return read();
  try {
    return read();
  } catch (error) {
    if (!isPosternError(error)) throw error;
    onProblem(error);
    return null;
  }
}
