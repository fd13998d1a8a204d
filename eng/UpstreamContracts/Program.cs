return Bff.UpstreamContracts.Commands.Run(args, Console.Out, Console.Error);
