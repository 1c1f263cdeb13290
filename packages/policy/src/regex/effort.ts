/** What a search may still cost, in characters that an automaton reads: 2 to 10 ns each, as they are new to it or not. */
export interface Effort {
  left: number;
}
