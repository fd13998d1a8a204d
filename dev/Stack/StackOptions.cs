namespace Bff.Dev.Stack;

/// <summary>The command line.</summary>
/// <param name="Check">Whether to make one composed call to each host and exit.</param>
/// <param name="Faults">Whether to read commands that slow down or break a service.</param>
/// <param name="ServiceTokens">Whether the sample services accept only tokens that are meant for them.</param>
/// <param name="Redis">Address of Redis; null for embedded state.</param>
internal sealed record StackOptions(bool Check, bool Faults, bool ServiceTokens, string? Redis)
{
    private const string Usage = """
        dotnet run --project dev/Stack [-- OPTIONS]

          --check             call one composed endpoint of each gateway, print the answers, exit 0 or 1
          --faults            read commands that slow down or break a service
          --service-tokens    make the sample services accept only tokens with their own audience, which the gateways then request
          --redis HOST:PORT   keep state in this Redis instead of in each process
        """;

    /// <summary>Parses the arguments; prints the usage and returns null if they are invalid or ask for help.</summary>
    public static StackOptions? Parse(string[] args)
    {
        var options = new StackOptions(false, false, false, null);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--check":
                    options = options with { Check = true };
                    break;
                case "--faults":
                    options = options with { Faults = true };
                    break;
                case "--service-tokens":
                    options = options with { ServiceTokens = true };
                    break;
                case "--redis" when i + 1 < args.Length && !args[i + 1].StartsWith('-'):
                    options = options with { Redis = args[++i] };
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return null;
            }
        }

        return options;
    }
}
