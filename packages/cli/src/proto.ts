/** The commands that share a service, by what they share. */
export type Proto = 'http' | 'tcp' | 'tls';
