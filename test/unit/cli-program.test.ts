import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../cli/program.js';

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

const commands = everyCommand(createProgram()).map((command) => [fullName(command), command] as const);

async function refusal(...args: string[]): Promise<CommanderError> {
  const error: unknown = await createProgram()
    .parseAsync(args, { from: 'user' })
    .catch((thrown: unknown) => thrown);
  if (error instanceof CommanderError) return error;
  throw new Error(`${args.join(' ')} was not refused`);
}

describe('commands', () => {
  it('are those of the contract', () => {
    const flat =
      'run status wait cancel pause resume list results validate worker dev stop emulator setup doctor clean';
    const ofSchedule = 'create apply list describe pause resume trigger backfill delete';
    const names = [
      'longhaul',
      'longhaul schedule',
      ...flat.split(' ').map((name) => `longhaul ${name}`),
      ...ofSchedule.split(' ').map((name) => `longhaul schedule ${name}`),
    ];
    expect(new Set(commands.map(([name]) => name))).toEqual(new Set(names));
  });

  it.each(commands)('%s says with examples what it does', (name, command) => {
    const help = helpOf(command);
    expect(help).toContain(`Usage: ${name}`);
    // Variables or another program may stand before it.
    expect(help).toMatch(new RegExp(`^ +\\$ .*${name} `.replace(/ $/, ''), 'm'));
  });

  it('have the defaults of the contract', () => {
    const [, run] = commands.find(([name]) => name === 'longhaul run') ?? [];
    expect(run?.opts()).toEqual({
      provider: 'mistral',
      jobTimeout: '24h',
      maxRounds: 3,
      maxJobs: 4,
      pollMin: '5s',
      pollMax: '10m',
      onInvalid: 'fail',
      cleanup: 'none',
      progress: true,
    });
  });
});

describe('a typo', () => {
  it.each([
    [['runn', 'x'], 'Did you mean run?'],
    [['run', 'x', '--endpont', '/v1/x'], 'Did you mean --endpoint?'],
    [['schedule', 'crete'], 'Did you mean create?'],
    [['run', 'x', '--on-invalid', 'ignore'], 'Allowed choices are fail, skip'],
    [['list', '--phase', 'runing'], 'Allowed choices are preparing, running'],
    [['run', 'x', '--job-timeout', '24'], 'Write a duration such as 5s, 10m or 24h'],
    [['status'], "missing required argument 'batch id'"],
    [['status', 'a', 'b'], 'too many arguments'],
  ])('%j is answered with %s', async (args, message) => {
    expect((await refusal(...args)).message).toContain(message);
  });
});
