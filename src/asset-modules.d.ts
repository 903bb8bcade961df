// What Vite makes of these imports. `vite/client` says the same but brings the DOM with it, which workers do not have.

declare module '*?raw' {
  const text: string;
  export default text;
}

declare module '*?url' {
  const address: string;
  export default address;
}

declare module '*?worker&url' {
  const address: string;
  export default address;
}
