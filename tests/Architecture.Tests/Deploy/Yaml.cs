using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Architecture.Tests.Deploy;

/// <summary>A place in a YAML document. A place that does not exist is empty.</summary>
internal readonly struct Yaml(object? node)
{
    public bool Exists => node is not null;

    public string Text => node as string ?? "";

    public IEnumerable<Yaml> Items => node is List<object?> items ? items.Select(i => new Yaml(i)) : [];

    public IEnumerable<KeyValuePair<string, Yaml>> Members =>
        node is Dictionary<object, object?> members ? members.Select(m => KeyValuePair.Create((string)m.Key, new Yaml(m.Value))) : [];

    public Yaml this[string path]
    {
        get
        {
            var at = node;
            foreach (var name in path.Split('.'))
            {
                at = at is Dictionary<object, object?> members ? members.GetValueOrDefault(name) : null;
            }

            return new(at);
        }
    }

    /// <summary>Reads every document of a file; throws on a duplicate key or a syntax error.</summary>
    public static List<Yaml> Read(string path) => Parse(File.ReadAllText(System.IO.Path.Combine(Source.Root, path)));

    /// <summary>Parses every document of a text.</summary>
    public static List<Yaml> Parse(string text)
    {
        var deserializer = new DeserializerBuilder().WithDuplicateKeyChecking().Build();
        var parser = new MergingParser(new Parser(new StringReader(text)));
        parser.Consume<YamlDotNet.Core.Events.StreamStart>();
        var documents = new List<Yaml>();
        while (!parser.Accept<YamlDotNet.Core.Events.StreamEnd>(out _))
        {
            documents.Add(new(deserializer.Deserialize<object?>(parser)));
        }

        return documents;
    }

    /// <summary>Returns every place with the given key, at any depth.</summary>
    public IEnumerable<Yaml> All(string key) =>
        Members
            .Where(m => m.Key == key)
            .Select(m => m.Value)
            .Concat(Members.SelectMany(m => m.Value.All(key)))
            .Concat(Items.SelectMany(i => i.All(key)));
}
