import process from 'node:process';

/** Whether there is a process of that number. One that has ended is there until its parent has heard of it. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
