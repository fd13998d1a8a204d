using System.Reflection;
using System.Text.Json.Serialization;

namespace Bff.UpstreamContracts.Declared;

/// <summary>
/// What a host declares of the services that it calls: its clients, the service of each, and the endpoints that make each call. Everything
/// is read from the assembly; an endpoint's author writes nothing for it.
/// </summary>
internal sealed class HostReads
{
    private HostReads(Assembly host)
    {
        Reach = new(host);
        Name = host.GetName().Name!;
        Contexts =
        [
            .. host.GetTypes()
                .Where(t => t.IsAssignableTo(typeof(JsonSerializerContext)))
                .Select(t => (JsonSerializerContext)t.GetProperty("Default", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!),
        ];
        Services = Registered()
            .GroupBy(r => r.Service, r => r.Client)
            .ToDictionary(g => g.Key, g => (IReadOnlyList<Type>)[.. g.Distinct()]);
        Endpoints = [.. MappedEndpoint.Of(Reach).Select(e => (e, Reach.From(e.Handlers)))];
    }

    /// <summary>Name of the host.</summary>
    public string Name { get; }

    public Reach Reach { get; }

    public IReadOnlyList<JsonSerializerContext> Contexts { get; }

    /// <summary>The clients of each service, by its name under <c>Upstreams</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Type>> Services { get; }

    /// <summary>The endpoints, each with the methods that it may run.</summary>
    public IReadOnlyList<(MappedEndpoint Endpoint, IReadOnlyList<MethodBase> Methods)> Endpoints { get; }

    public static HostReads Of(Assembly host) => new(host);

    /// <summary>Returns the endpoints that name a method in the body of another one, with that other method.</summary>
    public IEnumerable<(MappedEndpoint Endpoint, MethodBase By)> Callers(MethodBase method) =>
        Endpoints.SelectMany(e =>
            e.Methods.Where(m => Reach.Body(m).Any(i => i.Operand is MethodBase named && Same(named, method))).Select(m => (e.Endpoint, m))
        );

    /// <summary>Returns the names of the endpoints that run or name a method.</summary>
    public IReadOnlyList<string> EndpointsOf(MethodBase method) =>
        [
            .. Callers(method)
                .Select(c => c.Endpoint)
                .Concat(Endpoints.Where(e => e.Methods.Contains(method)).Select(e => e.Endpoint))
                .Select(e => e.Name)
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];

    private static bool Same(MethodBase one, MethodBase other) => one.Module == other.Module && one.MetadataToken == other.MetadataToken;

    // In AddUpstream<IUsers>("users"), the name is the last text before the call.
    private IEnumerable<(string Service, Type Client)> Registered()
    {
        foreach (var method in Reach.Methods)
        {
            var text = "";
            foreach (var instruction in Reach.Body(method))
            {
                if (instruction.Operand is string said)
                {
                    text = said;
                }
                else if (
                    instruction
                        is { Calls: true, Operand: MethodInfo { IsGenericMethod: true, Name: "AddUpstream" or "AddGrpcUpstream" } call }
                    && call.DeclaringType?.Namespace == "Bff.Upstreams"
                )
                {
                    yield return (text, call.GetGenericArguments()[0]);
                }
            }
        }
    }
}
