/** What process managers read, each in its own grammar. Pure: facts in, text out. */

export interface ServiceFacts {
  /** Absolute. */
  readonly program: string
  readonly args: readonly string[]
  /** Who the server runs as. */
  readonly user: string
  readonly serverDir: string
}

export function crontab({ program, args }: ServiceFacts): string {
  // In a crontab a percent sign ends the command.
  const command = [program, ...args].map(shellQuoted).join(' ').replaceAll('%', '\\%')
  return `# A line for "crontab -e" of the user who runs the server: cron starts it with the machine, and nothing restarts it.
# What it prints goes to the system's log.
@reboot ${command} 2>&1 | logger -t devpi-server
`
}

export function systemdUnit({ program, args, user, serverDir }: ServiceFacts): string {
  return `# Copy to /etc/systemd/system/devpi.service, then: systemctl daemon-reload && systemctl enable --now devpi
[Unit]
Description=Python package index (Airlock)
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=${user}
ExecStart=${[program, ...args].map(systemdQuoted).join(' ')}
Restart=on-failure
RestartSec=2
# Requests under way are finished before it ends.
TimeoutStopSec=60
LimitNOFILE=65536
NoNewPrivileges=yes
ProtectSystem=full
ReadWritePaths=${systemdQuoted(`-${serverDir}`)}

[Install]
WantedBy=multi-user.target
`
}

export function supervisorProgram({ program, args, user }: ServiceFacts): string {
  // Percent signs would be read as %(name)s.
  const command = [program, ...args].map(shellQuoted).join(' ').replaceAll('%', '%%')
  return `[program:devpi-server]
command=${command}
user=${user}
autostart=true
autorestart=unexpected
exitcodes=0
startsecs=5
stopsignal=TERM
stopwaitsecs=60
redirect_stderr=true
`
}

export function supervisorConfig(): string {
  return `; Start with: supervisord -c supervisord.conf
[supervisord]

[unix_http_server]
file=%(here)s/supervisor.sock
chmod=0700

[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[include]
files=%(here)s/supervisor-devpi.conf
`
}

export function launchdPlist({ program, args }: ServiceFacts): string {
  const words = [program, ...args].map((word) => `    <string>${xmlText(word)}</string>\n`).join('')
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>net.devpi</string>
  <key>ProgramArguments</key>
  <array>
${words}  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
</dict>
</plist>
`
}

export function launchdHowTo(): string {
  return `launchd starts the server when you log in, and again when it fails.

Put the description where launchd looks, and start it:

  cp net.devpi.plist ~/Library/LaunchAgents/
  launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/net.devpi.plist

See whether it runs:

  launchctl print gui/$(id -u)/net.devpi

Stop it, now and at the next login:

  launchctl bootout gui/$(id -u)/net.devpi
`
}

export function windowsHowTo({ program, args }: ServiceFacts): string {
  const command = [program, ...args].map(shellQuoted).join(' ')
  return `The server runs on Windows in the Windows Subsystem for Linux (WSL 2), and Windows' task scheduler starts it with the machine.

1. In the Linux distribution, write this line into a script, for example /usr/local/bin/start-devpi, and make it executable:

     #!/bin/sh
     exec ${command}

2. In a PowerShell run as administrator, once (DISTRIBUTION is a name that "wsl --list" shows):

     schtasks /create /tn devpi-server /sc onstart /ru $env:USERNAME /rp * /tr "wsl.exe --distribution DISTRIBUTION --exec /usr/local/bin/start-devpi"

3. Start it now, and look at it:

     schtasks /run /tn devpi-server
     schtasks /query /tn devpi-server /v /fo list

4. Take it away again:

     schtasks /end /tn devpi-server
     schtasks /delete /tn devpi-server /f
`
}

/** One word for a POSIX shell. */
function shellQuoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** One word for a unit file: `%` and `$` mean something there. */
function systemdQuoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
