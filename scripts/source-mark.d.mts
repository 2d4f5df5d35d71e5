export function commit(root: string): string | undefined;
export function sourceMark(root: string): string;
