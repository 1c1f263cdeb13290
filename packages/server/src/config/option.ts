/** What one setting of the server is, for the flag, the variable, the key and the help line. */
export interface ServerOption {
  /** Key of the YAML file and of `RawSettings`; the flag is `--` and the variable `POSTERN_` in its own spelling. */
  readonly key: string;
  readonly kind: 'text' | 'list' | 'switch';
  /** What stands for the value in the help: `host:port`. */
  readonly value: string;
  /** Shown in the help; '' when there is none. */
  readonly default: string;
  readonly help: string;
}
