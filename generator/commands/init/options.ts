import type { Answers } from "./answers.ts";

/** Options of `meshops init`. */
export interface InitOptions {
  readonly directory: string;
  readonly cluster?: Answers["cluster"];
  readonly environments?: string;
  readonly gitUrl?: string;
  readonly branch?: string;
  readonly name?: string;
  /** Value of `--with-client`: name of the test client's image, or `true` if the option has no value. */
  readonly withClient?: string | true;
  /** Whether the environments have a database. */
  readonly database: boolean;
  /** Whether another tool installs Linkerd. */
  readonly existingLinkerd: boolean;
  /** Do not prompt. Use the default values for missing options. */
  readonly yes: boolean;
  /** Write to a folder that is not empty, and overwrite existing files. */
  readonly force: boolean;
  /** Write to a folder that is not empty, and keep existing files. */
  readonly keep: boolean;
}
