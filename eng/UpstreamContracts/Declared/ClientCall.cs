using System.Reflection;

namespace Bff.UpstreamContracts.Declared;

/// <summary>A method of a typed client that asks a service: what Refit's attributes say of it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Verb">In lower case.</param>
/// <param name="Path">With its query, where that is constant.</param>
internal sealed record ClientCall(MethodInfo Method, string Verb, string Path)
{
    private static readonly string[] Verbs = ["get", "put", "post", "delete", "options", "head", "patch"];

    /// <summary>What is read of the answer.</summary>
    public Type Answer => Method.ReturnType.GetGenericArguments()[0];

    /// <summary>Whether it is asked in GraphQL.</summary>
    public bool IsGraphQl =>
        Answer is { IsGenericType: true } && Answer.GetGenericTypeDefinition().FullName == "Bff.Upstreams.GraphQlAnswer`1";

    /// <summary>As it is told to people.</summary>
    public string Name => $"{Method.DeclaringType!.Name}.{Method.Name}";

    /// <summary>Null of a method that makes no call by itself.</summary>
    public static ClientCall? Of(MethodBase method)
    {
        if (method is not MethodInfo { ReturnType.IsGenericType: true } declared)
        {
            return null;
        }

        var attribute = declared.CustomAttributes.FirstOrDefault(a => a.AttributeType.BaseType?.FullName == "Refit.HttpMethodAttribute");
        var verb = attribute?.AttributeType.Name.Replace("Attribute", "", StringComparison.Ordinal).ToLowerInvariant();
        return verb is not null && Verbs.Contains(verb)
            ? new(declared, verb, (string?)attribute!.ConstructorArguments[0].Value ?? "")
            : null;
    }

    /// <summary>A parameter's attribute of Refit, by its short name.</summary>
    public static CustomAttributeData? Attribute(ICustomAttributeProvider of, string name) =>
        (of is ParameterInfo parameter ? parameter.CustomAttributes : ((MemberInfo)of).CustomAttributes).FirstOrDefault(a =>
            a.AttributeType.FullName == $"Refit.{name}Attribute"
        );
}
