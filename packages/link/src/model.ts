/** The words that every package shares about endpoints; declared here and nowhere else. */

/** How visitors speak to an endpoint: the scheme of its URL. */
export type Scheme = 'http' | 'https' | 'tls' | 'tcp';

/** Who can reach an endpoint. */
export type Binding = 'public' | 'internal' | 'kubernetes';
