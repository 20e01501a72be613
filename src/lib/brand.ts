/** Checked text as a type: a `Brand<string, 'Digest'>` can only come from the function that checked it. */
declare const brand: unique symbol

export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }
