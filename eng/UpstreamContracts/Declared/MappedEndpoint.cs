using System.Reflection;

namespace Bff.UpstreamContracts.Declared;

/// <summary>
/// An endpoint as the host maps it: <c>api.MapGet("/orders", GetOrders.Handle).Named("orders")</c>. The compiler replaces the call itself,
/// but not its arguments.
/// </summary>
internal sealed record MappedEndpoint
{
    /// <summary>Name given by <c>Named</c>; empty without it.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Name of the operation in the host's own document.</summary>
    public string OperationId { get; private set; } = "";

    /// <summary>The handler, and the other delegates of its mapping.</summary>
    public List<MethodBase> Handlers { get; } = [];

    /// <summary>Returns every named endpoint of the host.</summary>
    public static IReadOnlyList<MappedEndpoint> Of(Reach host) =>
        [.. host.Methods.SelectMany(m => Mapped(host.Body(m))).Where(e => e.Name.Length > 0)];

    private static IEnumerable<MappedEndpoint> Mapped(IReadOnlyList<Instruction> body)
    {
        MappedEndpoint? mapped = null;
        var (delegates, text) = (new List<MethodBase>(), "");
        foreach (var instruction in body)
        {
            if (instruction.Operand is string said)
            {
                text = said;
            }
            else if (instruction is { TakesMethod: true, Operand: MethodBase taken })
            {
                delegates.Add(taken);
            }
            else if (instruction is { Calls: true, Operand: MethodBase called })
            {
                if (called.GetParameters().Any(p => typeof(Delegate).IsAssignableFrom(p.ParameterType)))
                {
                    if (called.Name.StartsWith("Map", StringComparison.Ordinal))
                    {
                        if (mapped is not null)
                        {
                            yield return mapped;
                        }

                        mapped = new();
                    }

                    mapped?.Handlers.AddRange(delegates);
                    delegates.Clear();
                }
                else if (called.Name == "Named" && mapped is not null)
                {
                    mapped.Name = text;
                    mapped.OperationId = mapped.OperationId.Length > 0 ? mapped.OperationId : text;
                }
                else if (called.Name == "WithName" && mapped is not null)
                {
                    mapped.OperationId = text;
                }
            }
        }

        if (mapped is not null)
        {
            yield return mapped;
        }
    }
}
