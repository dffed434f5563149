/* The subcommands. Each gets its own name as argv[0] and returns the exit status. */
#ifndef FLOE_CLI_COMMANDS_H
#define FLOE_CLI_COMMANDS_H

int floe_cmd_check(int argc, char **argv);
int floe_cmd_connect(int argc, char **argv);
int floe_cmd_explain(int argc, char **argv);
int floe_cmd_nat(int argc, char **argv);
int floe_cmd_testserver(int argc, char **argv);

#endif
