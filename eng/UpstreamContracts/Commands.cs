using Bff.UpstreamContracts.Declared;

namespace Bff.UpstreamContracts;

/// <summary>
/// <c>write CONTRACTS HOST.dll...</c> writes what hosts read of services to <c>CONTRACTS/upstreams</c>; <c>check CONTRACTS/upstreams
/// SERVICE DOCUMENT</c> reports whom a service's document breaks.
/// </summary>
internal static class Commands
{
    private const int Fine = 0;
    private const int Breaks = 1;
    private const int Wrong = 2;

    /// <summary>Runs a command and returns the exit code.</summary>
    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter errors)
    {
        try
        {
            return arguments switch
            {
                ["write", var contracts, _, ..] => Write(contracts, [.. arguments.Skip(2)]),
                ["check", var contracts, { Length: > 0 } service, { Length: > 0 } document] => Check(contracts, service, document, output),
                _ => throw new WrongInputException("Name a service and its new document: check-service orders new-openapi.json"),
            };
        }
        catch (WrongInputException wrong)
        {
            errors.WriteLine(wrong.Message);
            return Wrong;
        }
    }

    private static int Write(string contracts, IReadOnlyList<string> hosts)
    {
        foreach (var host in hosts)
        {
            using var loaded = LoadedHost.Load(host);
            ContractFiles.Write(contracts, loaded.Assembly);
        }

        return Fine;
    }

    private static int Check(string contracts, string service, string document, TextWriter output)
    {
        var breaks = ServiceCheck.Run(contracts, service, document);
        foreach (var line in breaks)
        {
            output.WriteLine(line);
        }

        if (breaks.Count > 0)
        {
            return Breaks;
        }

        output.WriteLine($"{service}: breaks no gateway. It is read by {string.Join(", ", ServiceCheck.Readers(contracts, service))}.");
        return Fine;
    }
}
