export default { allowedDevOrigins: ['*.example.com'] };
