import { openApiOf, RESOURCES } from '@postern/resources';

/**
 * `/openapi.json`, for tools that generate clients and forms. It says nothing that the documentation does not, so it
 * asks for no key. Written once per base address.
 */
export function createOpenApi(publicBaseUrl: () => string, version: string): () => string {
  let written = '';
  let server = '';
  return () => {
    if (written === '' || server !== publicBaseUrl()) {
      server = publicBaseUrl();
      written = JSON.stringify(openApiOf(RESOURCES, server, version));
    }
    return written;
  };
}
