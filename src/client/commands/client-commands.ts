/** The client's commands with devpi's words, for `airlock COMMAND` and `devpi COMMAND`. */
import { type Command, Option } from 'commander'
import { addClientOptions } from '../client-options.ts'
import { runCommand } from '../command-run.ts'
import type { CliContext } from '../context.ts'
import { test } from '../tox/test-command.ts'
import { getJson, patchJson } from './getjson.ts'
import { group } from './group.ts'
import { index } from './index-command.ts'
import { install } from './install.ts'
import { list } from './list.ts'
import { login, logoff } from './login.ts'
import { addPublisherCommands } from './publisher.ts'
import { push } from './push.ts'
import { refresh } from './refresh.ts'
import { remove } from './remove.ts'
import { status } from './status.ts'
import { addTokenCommands } from './token.ts'
import { upload } from './upload.ts'
import { use } from './use.ts'
import { passwd, user } from './user.ts'
import { unyank, yank } from './yank.ts'

/**
 * Adds every command of devpi's client to `program`.
 * They say what went wrong themselves and then throw `CliExit`; wrong usage is commander's to tell.
 */
export function addClientCommands(program: Command, context: CliContext): void {
  const add = (words: string, description: string) => addClientOptions(program.command(words).description(description))
  const run = runCommand(context)

  add('use [url]', 'show or set the server and index in use, and what installers are set to')
    .option('--local', 'keep settings in the activated virtual environment from now on')
    .option('--set-cfg', "set pip's, uv's and setuptools' configuration to the index in use")
    .addOption(new Option('--always-set-cfg <choice>', 'whether every later use does --set-cfg').choices(['yes', 'no']))
    .addOption(
      new Option('-t, --pip-set-trusted <choice>', 'with --set-cfg, whether pip trusts the host')
        .choices(['yes', 'no', 'auto'])
        .default('auto'),
    )
    .option('--venv <dir>', 'virtual environment for installs and settings; "-" forgets it')
    .option('--urls', 'show the addresses of the server')
    .option('-l, --list', 'show all indexes of the server')
    .option('-u, --user <user>', 'with --list, show the indexes of this user only')
    .option('--delete', 'forget the server')
    .option('--client-cert <pem_file>', 'certificate and key to show to the server')
    .action(run(use))

  add('login <user>', 'log in to the server')
    .option('--password <password>', 'the password; asked for when it is not given')
    .action(run(login))
  for (const words of ['logoff', 'logout']) add(words, 'forget the login').action(run(logoff))

  add('user [user] [keyvalues...]', 'create, show, change, list and delete users')
    .addOption(new Option('-c, --create', 'create a user').conflicts(['delete', 'modify', 'list']))
    .addOption(new Option('--delete', 'delete a user').conflicts(['modify', 'list']))
    .addOption(new Option('-m, --modify', 'change a user').conflicts('list'))
    .option('-l, --list', 'list the names of all users')
    .action(run(user))
  // `airlock passwd` works on a server folder too and brings its own.
  if (!program.commands.some((each) => each.name() === 'passwd')) {
    add('passwd [user]', 'change a password').action(run(passwd))
  }

  add('index [index] [keyvalues...]', 'create, show, change, list and delete indexes')
    .addOption(new Option('-c, --create', 'create an index').conflicts(['delete', 'list']))
    .addOption(new Option('--delete', 'delete an index').conflicts('list'))
    .option('-l, --list', 'list the indexes of a user')
    .option('--no-projects', 'show an index without asking for its projects')
    .action(run(index))

  add('upload [paths...]', 'build and upload distribution files')
    .option('-p, --python <program>', 'Python to build with')
    .option('--no-vcs', 'build in the folder itself, not in a copy of the files Git knows')
    .option('--setupdir-only', 'leave the .git folder out of that copy')
    .option('--formats <list>', 'kinds to build (deprecated: use --sdist and --wheel)')
    .option('--sdist', 'build an sdist')
    .option('--wheel', 'build a wheel')
    .option('--no-isolation', 'build with what is installed')
    .option('--with-docs', 'build documentation with sphinx-build, too')
    .option('--only-docs', 'build and upload documentation only')
    .option('--no-docs', 'upload no documentation')
    .option('--index <index>', 'index to upload to')
    .option('--from-dir', 'upload all archives below folders')
    .option('--only-latest', 'upload the latest version of each project only')
    .option('--dry-run', 'say what would be uploaded')
    .action(run(upload))

  add('list [spec]', 'show the projects of an index, or the files of a project')
    .option('-f, --failures', 'show the logs of failed tests')
    .option('-t, --toxresults', 'show test results')
    .option('--all', 'show all versions')
    .option('--index <index>', 'index to look at')
    .option('--ignore-bases', 'leave out what comes from bases')
    .action(run(list))

  add('remove <spec_or_url>', 'delete a project, releases or one file')
    .option('--index <index>', 'index to delete from')
    .option('-f, --force', 'also on an index that is not volatile')
    .action(run(remove))

  for (const [words, description, command] of [
    ['yank <pkgspec>', 'have installers pass over releases or files, unless exactly those are asked for', yank],
    ['unyank <pkgspec>', 'have installers take yanked releases or files again', unyank],
  ] as const) {
    const added = add(words, description)
      .option('--file <name>', 'this file only; can be given more than once', listed)
      .option('--index <index>', 'index that has them')
    if (command === yank) added.option('--reason <text>', 'why, for installers to say')
    added.action(run(command))
  }

  add('status <project> [status]', 'show or set whether a project is active, archived, quarantined or deprecated')
    .option('--reason <text>', 'why, for installers and pages to say')
    .option('--index <index>', 'index that has the project')
    .action(run(status))

  add('push <pkgspec> <target>', 'copy a release to another index (USER/NAME) or a repository outside (pypi:REPONAME)')
    .option('--index <index>', 'index to push from')
    .option('--no-docs', 'leave documentation out')
    .option('--only-docs', 'push documentation only')
    .option('--pypirc <path>', 'file that describes repositories outside (default: ~/.pypirc)')
    .option('--register-project', 'register the project outside first')
    .action(run(push))

  add('test <pkgspec...>', 'run tox on the files of releases, and give the results to the server')
    .option('-e, --toxenv <name>', 'environment for tox to run')
    .option('-c, --toxini <path>', "tox's configuration, instead of the package's own")
    .option('--fallback-ini <path>', "tox's configuration for packages that have none")
    .option('--tox-args <words>', 'further options for tox')
    .option('--no-upload', 'keep the results here')
    .option('--index <index>', 'index to take files from')
    .option('-s, --select <regex>', 'test only files with such names, and wheels for one platform among them')
    .option('-l, --list', 'show what would be tested')
    .action(run(test))

  add('install [pkgs...]', 'install with pip from the index in use')
    .option('--index <index>', 'index to install from')
    .option('-l, --listinstalled', 'show what is installed')
    .option('-e, --editable <project>', 'install a project so that changes to it count at once')
    .option('--venv <dir>', 'virtual environment to install into')
    .option('-r, --requirement', 'the words name requirements files')
    .action(run(install))

  add('group [group]', 'show and change the groups of users that access lists name as :GROUP')
    .option('--add <user>', 'make a user a member; can be given more than once', listed)
    .option('--remove <user>', 'end a membership; can be given more than once', listed)
    .option('--delete', 'delete the group')
    .action(run(group))

  addTokenCommands(
    program.command('token').description('API tokens, for programs in place of a password'),
    addClientOptions,
    run,
  )
  addPublisherCommands(
    program.command('publisher').description('builds that may upload without a password'),
    addClientOptions,
    run,
  )

  add('refresh <pkgs...>', 'make mirrors ask upstream for projects again')
    .option('--index <index>', 'index to refresh')
    .action(run(refresh))

  add('getjson <path_or_url>', 'show the JSON that the server answers').action(run(getJson))
  add('patchjson <path> <jsonfile>', 'send a change as JSON, from a file or stdin (-)').action(run(patchJson))
}

function listed(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
