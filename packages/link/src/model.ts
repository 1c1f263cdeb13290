/** The words that every package shares about endpoints; declared here and nowhere else. */

/** How visitors speak to an endpoint: the scheme of its URL. */
export const SCHEMES = ['http', 'https', 'tls', 'tcp'] as const;
export type Scheme = (typeof SCHEMES)[number];

/** Those whose endpoints are found by a name; a tcp endpoint is found by its port. */
export const NAMED_SCHEMES = ['http', 'https', 'tls'] as const satisfies readonly Scheme[];
export type NamedScheme = (typeof NAMED_SCHEMES)[number];

/** Who can reach an endpoint. */
export const BINDINGS = ['public', 'internal', 'kubernetes'] as const;
export type Binding = (typeof BINDINGS)[number];

export function isScheme(text: unknown): text is Scheme {
  return SCHEMES.some((scheme) => scheme === text);
}

export function isBinding(text: unknown): text is Binding {
  return BINDINGS.some((binding) => binding === text);
}
