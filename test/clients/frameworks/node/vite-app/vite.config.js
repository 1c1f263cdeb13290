export default { server: { allowedHosts: ['.example.com'] } };
