import type { Answers } from "./answers.ts";

/** Options of `meshops init`. */
export interface InitOptions {
  readonly directory: string;
  readonly cluster?: Answers["cluster"];
  readonly environments?: string;
  readonly gitUrl?: string;
  readonly branch?: string;
  readonly name?: string;
  /** Ask nothing: what is not named is as the question proposes. */
  readonly yes: boolean;
  /** Write into a folder that is not empty, over what is there. */
  readonly force: boolean;
  /** Write into a folder that is not empty; existing files stay. */
  readonly keep: boolean;
}
