export * from './control-link.ts';
