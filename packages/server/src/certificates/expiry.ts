import type { Expiry } from './certificate-files.ts';

const DAY = 86_400_000;
/** Certificates of public authorities are renewed a month before they end; two weeks are late. */
const SOON_DAYS = 14;

interface Log {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says which certificates have ended or will soon; now, and then daily until the returned function is called. */
export function watchExpiry(expiries: () => readonly Expiry[], log: Log, now: () => number): () => void {
  const look = (): void => {
    for (const { certificate, notAfter } of expiries()) {
      const days = Math.floor((notAfter - now()) / DAY);
      if (days >= SOON_DAYS) continue;
      const fields = { certificate, not_after: new Date(notAfter).toISOString() };
      if (notAfter <= now())
        log.error(fields, 'a certificate has expired; clients refuse it. Renew it and send SIGHUP');
      else log.warn({ ...fields, days }, 'a certificate expires soon; renew it and send SIGHUP');
    }
  };
  look();
  const timer = setInterval(look, DAY);
  timer.unref();
  return () => clearInterval(timer);
}
