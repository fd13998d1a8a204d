using System.Reflection;

namespace Bff.UpstreamContracts.Declared;

/// <summary>A method of a typed client that calls a service, as described by Refit's attributes.</summary>
/// <param name="Method">The method.</param>
/// <param name="Verb">The HTTP method in lower case.</param>
/// <param name="Path">The path, with its query if that is constant.</param>
internal sealed record ClientCall(MethodInfo Method, string Verb, string Path)
{
    private static readonly string[] Verbs = ["get", "put", "post", "delete", "options", "head", "patch"];

    /// <summary>Type that is read from the answer.</summary>
    public Type Answer => Method.ReturnType.GetGenericArguments()[0];

    /// <summary>Whether the call uses GraphQL.</summary>
    public bool IsGraphQl =>
        Answer is { IsGenericType: true } && Answer.GetGenericTypeDefinition().FullName == "Bff.Upstreams.GraphQlAnswer`1";

    /// <summary>Name that people see.</summary>
    public string Name => $"{Method.DeclaringType!.Name}.{Method.Name}";

    /// <summary>Returns the call of a method, or null for a method that makes none by itself.</summary>
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

    /// <summary>Returns a Refit attribute of a parameter or method by its short name.</summary>
    public static CustomAttributeData? Attribute(ICustomAttributeProvider of, string name) =>
        (of is ParameterInfo parameter ? parameter.CustomAttributes : ((MemberInfo)of).CustomAttributes).FirstOrDefault(a =>
            a.AttributeType.FullName == $"Refit.{name}Attribute"
        );
}
